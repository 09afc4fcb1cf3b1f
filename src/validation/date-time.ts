import { isISO8601, isRFC3339, ValidateBy } from 'class-validator';

/** RFC 3339 has no years beyond 9999. */
const END_OF_TIME = Date.UTC(10_000, 0);

/** Validates a date and time in the future, with its offset from UTC (RFC 3339). */
export const IsFutureDateTime = () =>
  ValidateBy(
    {
      name: 'isFutureDateTime',
      validator: {
        validate: (value) =>
          isRFC3339(value) &&
          isISO8601(value, { strict: true }) &&
          Date.parse(String(value)) > Date.now() &&
          Date.parse(String(value)) < END_OF_TIME,
      },
    },
    { message: 'must be a future date and time with an offset from UTC, such as 2099-12-31T00:00:00Z' },
  );
