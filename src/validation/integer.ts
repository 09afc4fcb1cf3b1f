import { Transform } from 'class-transformer';

/** Turns decimal digits into a number. Anything else stays as it is, for the validators to refuse. */
export const Integer = () =>
  Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value,
  );
