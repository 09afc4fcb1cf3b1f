import { type ArgumentMetadata, Injectable, type PipeTransform, type Type } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { validateSync, type ValidatorOptions } from 'class-validator';
import { compileCheck } from '../validation/compiled-check.js';
import { type FieldError, ValidationException } from './problem-details.js';

const OPTIONAL_BODY = 'request:may be missing';

/** On a DTO: a request without a body counts as one with an empty object. */
export const OptionalBody = (): ClassDecorator => (target) => {
  Reflect.defineMetadata(OPTIONAL_BODY, true, target);
};

/**
 * Turns a body or a query into its DTO and refuses it with all its faults at once. A body may have no
 * field that the DTO does not know; a query may have other parameters, which are not for the DTO. It stands with each
 * `@Body` and `@Query`: as a global pipe, Nest would run it for every parameter of every handler.
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
    const faults = type === 'body' ? validateBody(value, dto) : validateQuery(dto);
    if (faults.length > 0) throw new ValidationException(type, faults);
    return dto;
  }

  /** The fast path: most bodies are valid, and a compiled check says so without class-validator. */
  private isValid(metatype: Type, body: object, dto: object): boolean {
    let check = this.checks.get(metatype);
    if (check === undefined) {
      check = compileCheck(metatype);
      this.checks.set(metatype, check);
    }
    return check(dto) && findDroppedFields(body, dto).length === 0;
  }
}

/** Stands for a nested value; no validator takes it for anything. */
const NESTED = Symbol('nested');

/**
 * A field is a plain value or a list of such. The transformer would go down into anything deeper, however deep,
 * and trust what it finds.
 */
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

const UNKNOWN = 'is not a known field';

function validateBody(body: object, dto: object): FieldError[] {
  const faults = validate(dto, { whitelist: true, forbidNonWhitelisted: true });
  return [...faults, ...findDroppedFields(body, dto).map((field) => [field, UNKNOWN] as const)].map(
    ([field, detail]) => ({
      pointer: toJsonPointer(field),
      detail,
    }),
  );
}

/** The transformer leaves out `__proto__` and `constructor`. They are refused all the same, by name. */
function findDroppedFields(body: object, dto: object): string[] {
  return Object.keys(body).filter((field) => !Object.hasOwn(dto, field));
}

function validateQuery(dto: object): FieldError[] {
  return validate(dto, { whitelist: true }).map(([parameter, detail]) => ({ parameter, detail }));
}

/** @returns for each fault the name of the field and what is wrong with it */
function validate(dto: object, options: ValidatorOptions): (readonly [field: string, detail: string])[] {
  return validateSync(dto, { ...options, stopAtFirstError: true }).map(({ property, constraints = {} }) => [
    property,
    'whitelistValidation' in constraints ? UNKNOWN : Object.values(constraints).join(', '),
  ]);
}

/** RFC 6901, section 3. */
function toJsonPointer(field: string): string {
  return `/${field.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
