import { type ArgumentMetadata, Injectable, type PipeTransform, type Type } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { validateSync, type ValidatorOptions } from 'class-validator';
import { compileCheck } from '../validation/compiled-check.js';
import { type FieldError, ValidationException } from './problem-details.js';

const OPTIONAL_BODY = 'request:optional body';

/** Marks a DTO whose body may be missing. A missing body counts as an empty object. */
export const OptionalBody = (): ClassDecorator => (target) => {
  Reflect.defineMetadata(OPTIONAL_BODY, true, target);
};

/**
 * Transforms a body or a query into its DTO, and rejects it with all of its field errors. Unknown fields of a body are
 * errors; unknown query parameters are ignored. Applied to each `@Body` and `@Query`, because Nest would run a global pipe
 * for every parameter of every handler.
 */
@Injectable()
export class RequestValidationPipe implements PipeTransform {
  private readonly checks = new Map<Type, (object: object) => boolean>();

  /** @throws ValidationException */
  transform(value: unknown, { type, metatype }: ArgumentMetadata): unknown {
    if (metatype === undefined || (type !== 'body' && type !== 'query')) return value;
    if (value === undefined && Reflect.hasMetadata(OPTIONAL_BODY, metatype)) return new metatype();
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new ValidationException(type, [{ pointer: '', detail: 'must be a JSON object' }]);
    }
    const dto = plainToInstance(metatype, replaceNestedValues(value)) as object;
    if (type === 'body' && this.isValid(metatype, value, dto)) return dto;
    const errors = type === 'body' ? validateBody(value, dto) : validateQuery(dto);
    if (errors.length > 0) throw new ValidationException(type, errors);
    return dto;
  }

  /** The fast path: most bodies are valid, which a compiled check finds out without class-validator. */
  private isValid(metatype: Type, body: object, dto: object): boolean {
    let check = this.checks.get(metatype);
    if (check === undefined) {
      check = compileCheck(metatype);
      this.checks.set(metatype, check);
    }
    return check(dto) && findDroppedFields(body, dto).length === 0;
  }
}

/** Replaces a nested value. No validator accepts it, but `IsReadOnly`, whose fields are ignored. */
const NESTED = Symbol('nested');

/** Replaces what is deeper than a list of scalars. class-transformer would recurse into it without a limit. */
function replaceNestedValues(value: object): object {
  return Object.fromEntries(
    Object.entries(value).map(([field, inner]: [string, unknown]) => [
      field,
      Array.isArray(inner) ? inner.map(replaceNested) : replaceNested(inner),
    ]),
  );
}

function replaceNested(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? NESTED : value;
}

const UNKNOWN_FIELD = 'is not a known field';

function validateBody(body: object, dto: object): FieldError[] {
  const errors = validate(dto, { whitelist: true, forbidNonWhitelisted: true });
  return [...errors, ...findDroppedFields(body, dto).map((field) => [field, UNKNOWN_FIELD] as const)].map(
    ([field, detail]) => ({
      pointer: toJsonPointer(field),
      detail,
    }),
  );
}

/** class-transformer drops `__proto__` and `constructor`, which must be rejected like any other unknown field. */
function findDroppedFields(body: object, dto: object): string[] {
  return Object.keys(body).filter((field) => !Object.hasOwn(dto, field));
}

function validateQuery(dto: object): FieldError[] {
  return validate(dto, { whitelist: true }).map(([parameter, detail]) => ({ parameter, detail }));
}

/** @returns each invalid field with what is wrong with it */
function validate(dto: object, options: ValidatorOptions): (readonly [field: string, detail: string])[] {
  return validateSync(dto, { ...options, stopAtFirstError: true }).map(({ property, constraints = {} }) => [
    property,
    'whitelistValidation' in constraints ? UNKNOWN_FIELD : Object.values(constraints).join(', '),
  ]);
}

/** RFC 6901, section 3. */
function toJsonPointer(field: string): string {
  return `/${field.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
