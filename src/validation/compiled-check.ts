import type { Type } from '@nestjs/common';
import { getMetadataStorage, type ValidatorConstraintInterface } from 'class-validator';

/** The metadata of class-validator for a field. */
interface Field {
  name: string;
  /** `ValidateIf`: the field is only validated if all of them are true. */
  conditions: ((dto: object, value: unknown) => boolean)[];
  /** `ValidateBy`, and the decorators that are built on it. With `each`, they apply to the items of an array. */
  constraints: { constraint: ValidatorConstraintInterface; each: boolean; parameters: unknown[] }[];
}

/**
 * Compiles the validation decorators of a DTO, which class-validator looks up and sorts again for each object. Creates
 * are about a tenth faster with it.
 *
 * @returns a check that is true only if all fields of an object are known and valid. If it is false, class-validator
 *   decides: it reports what is wrong, and supports decorators that are not compiled here.
 */
export function compileCheck(dto: Type): (object: object) => boolean {
  const storage = getMetadataStorage();
  const fields = new Map<string, Field>();
  for (const metadata of storage.getTargetValidationMetadatas(dto, '', false, false)) {
    const { propertyName: name, type, each, constraintCls } = metadata;
    const field = fields.get(name) ?? { name, conditions: [], constraints: [] };
    fields.set(name, field);
    const parameters = (metadata.constraints as unknown[] | undefined) ?? [];
    // The `validateIf` option of a decorator, as opposed to the decorator `ValidateIf`.
    if (metadata.validateIf !== undefined) return () => false;
    if (type === 'conditionalValidation') {
      field.conditions.push(...(parameters as Field['conditions']));
    } else if (type === 'customValidation') {
      const constraints = storage.getTargetValidatorConstraints(constraintCls);
      field.constraints.push(
        ...constraints.map(({ instance: constraint }) => ({ constraint, each, parameters })),
      );
    } else if (type !== 'whitelistValidation') {
      return () => false;
    }
  }
  // class-validator rejects every object of a class without decorators.
  if (fields.size === 0) return () => false;
  const all = [...fields.values()];
  return (object) =>
    Object.keys(object).every((name) => fields.has(name)) && all.every((field) => isValid(field, object));
}

function isValid({ name, conditions, constraints }: Field, object: object): boolean {
  const value = (object as Record<string, unknown>)[name];
  if (!conditions.every((condition) => condition(object, value))) return true;
  const { name: targetName } = object.constructor;
  return constraints.every(({ constraint, each, parameters }) => {
    const holds = (item: unknown) =>
      constraint.validate(item, { value, constraints: parameters, targetName, object, property: name }) ===
      true;
    return each && Array.isArray(value) ? value.every(holds) : holds(value);
  });
}
