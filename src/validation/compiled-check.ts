import type { Type } from '@nestjs/common';
import { getMetadataStorage, type ValidatorConstraintInterface } from 'class-validator';

/** What class-validator knows of a field, from its decorators. */
interface Field {
  name: string;
  /** `ValidateIf`: unless all hold, any value is right. */
  conditions: ((dto: object, value: unknown) => boolean)[];
  /** `ValidateBy`, and what is made of it: of the value or, with `each`, of its items. */
  constraints: { constraint: ValidatorConstraintInterface; each: boolean; parameters: unknown[] }[];
}

/**
 * Compiles the decorators of a DTO, which class-validator looks up and sorts anew for each object that it validates.
 *
 * @param dto the class
 * @returns a check that is true only for an object that has no fields but those of the DTO, all valid. When it is false,
 *   class-validator is to be asked: it says what is wrong, and knows decorators that are not compiled here.
 */
export function compileCheck(dto: Type): (object: object) => boolean {
  const storage = getMetadataStorage();
  const fields = new Map<string, Field>();
  for (const metadata of storage.getTargetValidationMetadatas(dto, '', false, false)) {
    const { propertyName: name, type, each, constraintCls } = metadata;
    const field = fields.get(name) ?? { name, conditions: [], constraints: [] };
    fields.set(name, field);
    const parameters = (metadata.constraints as unknown[] | undefined) ?? [];
    // The option of a decorator, not the decorator `ValidateIf`.
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
  // Of a class without decorators class-validator refuses every object.
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
