import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';
import { ValidateBy } from 'class-validator';

/**
 * Validates an integer in a range, both ends included. In a query or the environment, it is a string of decimal digits.
 */
export const IsInteger = (min: number, max: number) =>
  applyDecorators(
    Transform(({ value }: { value: unknown }) =>
      typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value,
    ),
    ValidateBy(
      {
        name: 'isInteger',
        validator: { validate: (value) => Number.isInteger(value) && value >= min && value <= max },
      },
      { message: `must be a whole number from ${min} to ${max}` },
    ),
  );
