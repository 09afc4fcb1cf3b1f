import 'reflect-metadata';
import { plainToInstance } from 'class-transformer';
import { IsBoolean, IsInt, MaxLength, ValidateIf, validateSync } from 'class-validator';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CreateClientDto } from '../src/access/dto/client.dto.js';
import { CreateLocationDto } from '../src/directory/dto/location.dto.js';
import { CreatePhoneDto } from '../src/phones/dto/create-phone.dto.js';
import { UpdatePhoneDto } from '../src/phones/dto/update-phone.dto.js';
import { compileCheck } from '../src/validation/compiled-check.js';

/** Decorators with parameters, of the kind that a field may get one day. */
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

it.each<[new () => object, string[]]>([
  [CreatePhoneDto, ['id', 'digits', 'phone_type', 'is_primary']],
  [UpdatePhoneDto, ['id', 'digits', 'phone_type', 'is_primary']],
  [CreateLocationDto, ['id', 'name']],
  [CreateClientDto, ['name', 'is_admin', 'organization_ids']],
  [OtherDto, ['name', 'digits', 'is_primary']],
])('finds valid what class-validator does, and nothing else: %o', (dto, fields) => {
  const isValid = compileCheck(dto);
  const body = fc.dictionary(fc.constantFrom(...fields, ...fields, 'other'), value, { maxKeys: 4 });
  fc.assert(
    fc.property(body, (plain) => {
      const object = plainToInstance(dto, plain as object);
      const faults = validateSync(object, { whitelist: true, forbidNonWhitelisted: true });
      expect(isValid(object)).toBe(faults.length === 0);
    }),
    { numRuns: 2000 },
  );
});
