import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { ValidateBy } from 'class-validator';

/** The grammar of RFC 3339, section 5.6, without leap seconds, because the future ones are not known. */
const DATE_TIME =
  /^(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3])(:[0-5]\d){2}(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/i;

/** RFC 3339 has no years beyond 9999. */
const END_OF_TIME = Date.UTC(10_000, 0);

/** Validates a date and time in the future, with its offset from UTC (RFC 3339), and transforms it to a `Date`. */
export const IsFutureDateTime = () =>
  applyDecorators(
    Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? parseDateTime(value) : value)),
    ValidateBy(
      {
        name: 'isFutureDateTime',
        validator: {
          validate: (value) =>
            value instanceof Date && value.getTime() > Date.now() && value.getTime() < END_OF_TIME,
        },
      },
      { message: 'must be a future date and time with an offset from UTC, such as 2099-12-31T00:00:00Z' },
    ),
  );

/** @returns the time, to the millisecond; an invalid `Date` if the text is no date and time */
function parseDateTime(text: string): Date {
  const [, year, month, day] = DATE_TIME.exec(text) ?? [];
  // JavaScript accepts the 30th of February, and takes it for the 2nd of March.
  const lastDay = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  return Number(day) <= lastDay ? new Date(text.toUpperCase()) : new Date(NaN);
}
