import { type ArgumentMetadata, Injectable, type PipeTransform } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { type Fault, FaultyRequestException } from './problem.js';

/**
 * Turns a body or a query into its DTO and refuses it with all its faults at once. A body may have no
 * field that the DTO does not know; a query may have other parameters, which are not for the DTO.
 */
@Injectable()
export class RequestPipe implements PipeTransform {
  /** @throws FaultyRequestException */
  transform(value: unknown, { type, metatype }: ArgumentMetadata): unknown {
    if (metatype === undefined || (type !== 'body' && type !== 'query')) return value;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new FaultyRequestException(type, [{ pointer: '', detail: 'must be a JSON object' }]);
    }
    const dto = plainToInstance(metatype, value) as object;
    const faults = [...invalidFields(dto, type === 'body'), ...droppedFields(value, dto)].map(
      ([field, detail]): Fault => ({ pointer: type === 'body' ? jsonPointer(field) : field, detail }),
    );
    if (faults.length > 0) throw new FaultyRequestException(type, faults);
    return dto;
  }
}

type FieldFault = [field: string, detail: string];

const UNKNOWN = 'is not a known field';

function invalidFields(dto: object, forbidUnknown: boolean): FieldFault[] {
  return validateSync(dto, {
    whitelist: true,
    forbidNonWhitelisted: forbidUnknown,
    stopAtFirstError: true,
    validationError: { target: false },
  }).map(({ property, constraints = {} }) => [
    property,
    'whitelistValidation' in constraints ? UNKNOWN : Object.values(constraints).join(', '),
  ]);
}

/** The transformer leaves out `__proto__` and `constructor`; a field is refused all the same, by name. */
function droppedFields(value: object, dto: object): FieldFault[] {
  return Object.keys(value)
    .filter((field) => !Object.hasOwn(dto, field))
    .map((field) => [field, UNKNOWN]);
}

/** RFC 6901, section 3. */
function jsonPointer(field: string): string {
  return `/${field.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
