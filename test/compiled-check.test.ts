import 'reflect-metadata';
import { plainToInstance } from 'class-transformer';
import { IsBoolean, IsInt, MaxLength, ValidateIf, validateSync } from 'class-validator';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CreateClientDto } from '../src/clients/dto/client.dto.js';
import { CreateLocationDto } from '../src/directory/dto/location.dto.js';
import { CreatePhoneDto } from '../src/phones/dto/create-phone.dto.js';
import { UpdatePhoneDto } from '../src/phones/dto/update-phone.dto.js';
import { compileCheck } from '../src/validation/compiled-check.js';

/** Covers decorators with options that no DTO uses yet. */
class OtherDto {
  @MaxLength(3)
  name!: string;

  @ValidateIf((_, value) => value !== undefined)
  @IsInt({ each: true })
  digits?: number[];

  @IsBoolean()
  is_primary!: boolean;
}

const value = fc.oneof(
  fc.constantFrom('650-555-0101', 'fax', '', ' ', null, true, false, 0, undefined, 'long text'),
  fc.array(fc.constantFrom(1, 2, 'x', null), { maxLength: 3 }),
  fc.string({ unit: 'binary' }),
  fc.jsonValue(),
);

it.each<[new () => object, string[], Record<string, string | boolean>]>([
  [CreatePhoneDto, ['id', 'digits', 'phone_type', 'is_primary'], { digits: '211' }],
  [UpdatePhoneDto, ['id', 'digits', 'phone_type', 'is_primary'], { digits: '211' }],
  [CreateLocationDto, ['id', 'name'], { name: 'Pier' }],
  [CreateClientDto, ['name', 'is_admin', 'organization_ids'], { name: 'Desk' }],
  [OtherDto, ['name', 'digits', 'is_primary'], { name: 'fax', is_primary: true }],
])('compileCheck agrees with class-validator on %o', (dto, fields, validBody) => {
  const isValid = compileCheck(dto);
  const body = fc.dictionary(fc.constantFrom(...fields, ...fields, 'other'), value, { maxKeys: 4 });
  let validCount = 0;
  fc.assert(
    fc.property(body, (plain) => {
      const object = plainToInstance(dto, plain as object);
      const errors = validateSync(object, { whitelist: true, forbidNonWhitelisted: true });
      expect(isValid(object)).toBe(errors.length === 0);
      if (errors.length === 0) validCount += 1;
    }),
    // 2000 random bodies may not include a valid one.
    { numRuns: 2000, examples: [[validBody]] },
  );
  expect(validCount).toBeGreaterThan(0);
});
