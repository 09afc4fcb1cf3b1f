import { ValidateBy } from 'class-validator';

/** The largest value of an `integer` column in PostgreSQL. */
export const MAX_ID = 2 ** 31 - 1;

/** Whether a value is a possible ID. */
export function isId(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= MAX_ID;
}

export const MAX_LISTED_IDS = 1000;

/** Validates a list of up to {@link MAX_LISTED_IDS} different IDs. It may be empty. */
export const IsIdList = () =>
  ValidateBy(
    { name: 'isIdList', validator: { validate: isIdList } },
    { message: `must be a list of at most ${MAX_LISTED_IDS} different IDs` },
  );

function isIdList(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.length <= MAX_LISTED_IDS &&
    value.every(isId) &&
    new Set(value).size === value.length
  );
}
