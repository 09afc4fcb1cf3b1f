import {
  type ArgumentMetadata,
  BadRequestException,
  Injectable,
  type PipeTransform,
  type Type,
} from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { compileCheck } from '../validation/compiled-check.js';
import { MAX_LISTED_IDS } from '../validation/id.js';
import { type FieldError, ValidationException } from './problem-details.js';

/**
 * The largest number of fields in a body, and of parameters in a query. Each unknown one takes about 10 µs to reject.
 */
const MAX_FIELDS = 50;

/** The longest name of a field, in UTF-16 code units. A response repeats the name of an unknown field. */
const MAX_FIELD_NAME_LENGTH = 255;

const OPTIONAL_BODY = 'request:optional body';

/** Marks a DTO whose body may be missing. A missing body counts as an empty object. */
export const OptionalBody = (): ClassDecorator => (target) => {
  Reflect.defineMetadata(OPTIONAL_BODY, true, target);
};

/**
 * Transforms a body or a query into its DTO, and rejects it with its field errors. Unknown fields and parameters are
 * errors, too. Applied to each `@Body` and `@Query`, because Nest would run a global pipe for every parameter of every
 * handler.
 */
@Injectable()
export class RequestValidationPipe implements PipeTransform {
  private readonly checks = new Map<Type, (object: object) => boolean>();

  /**
   * @returns the DTO
   * @throws ValidationException when a field is invalid or unknown
   * @throws BadRequestException when there are too many fields, or one has a name that is too long
   */
  transform(value: unknown, { type, metatype }: ArgumentMetadata): unknown {
    if (metatype === undefined || (type !== 'body' && type !== 'query')) return value;
    if (value === undefined && Reflect.hasMetadata(OPTIONAL_BODY, metatype)) return new metatype();
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new ValidationException(type, [{ pointer: '', detail: 'must be a JSON object' }]);
    }
    const fields = Object.entries(value);
    if (fields.length > MAX_FIELDS) {
      const names = type === 'body' ? 'fields' : 'parameters';
      throw new BadRequestException(
        `The ${type} has ${fields.length} ${names}, but at most ${MAX_FIELDS} are allowed.`,
      );
    }
    if (fields.some(([name]) => name.length > MAX_FIELD_NAME_LENGTH)) {
      throw new BadRequestException(
        `The ${type} has a name of more than ${MAX_FIELD_NAME_LENGTH} characters, so it is not a known one.`,
      );
    }
    const plain = replaceNestedValues(fields);
    // Authentication reads the key.
    if (type === 'query') delete plain.api_key;
    const dto = plainToInstance(metatype, plain) as object;
    if (type === 'body' && this.isValid(metatype, plain, dto)) return dto;
    const errors = findFieldErrors(type, plain, dto);
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
function replaceNestedValues(fields: [string, unknown][]): Record<string, unknown> {
  return Object.fromEntries(
    fields.map(([field, inner]) => [
      field,
      // A list that is longer than any list of IDs is invalid in every field.
      Array.isArray(inner) && inner.length <= MAX_LISTED_IDS
        ? inner.map(replaceNested)
        : replaceNested(inner),
    ]),
  );
}

function replaceNested(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? NESTED : value;
}

/** @returns each invalid or unknown field of a body, or parameter of a query, with what is wrong with it */
function findFieldErrors(part: 'body' | 'query', plain: object, dto: object): FieldError[] {
  const unknown = part === 'body' ? 'is not a known field' : 'is not a known parameter';
  const invalid = validateSync(dto, { whitelist: true, forbidNonWhitelisted: true, stopAtFirstError: true });
  const errors = [
    ...invalid.map(({ property, constraints = {} }) => [
      property,
      'whitelistValidation' in constraints ? unknown : Object.values(constraints).join(', '),
    ]),
    ...findDroppedFields(plain, dto).map((field) => [field, unknown]),
  ] as [name: string, detail: string][];
  return errors.map(([name, detail]) =>
    part === 'body' ? { pointer: toJsonPointer(name), detail } : { parameter: name, detail },
  );
}

/** class-transformer drops `__proto__` and `constructor`, which must be rejected like any other unknown field. */
function findDroppedFields(plain: object, dto: object): string[] {
  return Object.keys(plain).filter((field) => !Object.hasOwn(dto, field));
}

/** RFC 6901, section 3. */
function toJsonPointer(field: string): string {
  return `/${field.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
