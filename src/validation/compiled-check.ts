import type { Type } from '@nestjs/common';
import { getMetadataStorage, type ValidatorConstraintInterface } from 'class-validator';

/** What class-validator knows of a field, from its decorators. */
interface Field {
  name: string;
  /** `ValidateIf`: unless all hold, any value is right. */
  conditions: ((dto: object, value: unknown) => boolean)[];
  /** `ValidateBy`: of the value or, with `each`, of its items. */
  constraints: { constraint: ValidatorConstraintInterface; each: boolean }[];
}

/**
 * Compiles the decorators of a DTO, which class-validator looks up and sorts anew for each object that it validates.
 *
 * @returns whether an object has no fields but those of the DTO, and all are right. What is wrong, and how to say it, is for
 *   class-validator; so is a DTO with other decorators than those compiled here, of which nothing counts as right.
 */
export function compileCheck(dto: Type): (object: object) => boolean {
  const storage = getMetadataStorage();
  const fields = new Map<string, Field>();
  for (const metadata of storage.getTargetValidationMetadatas(dto, '', false, false)) {
    const { propertyName: name, type, each, constraintCls } = metadata;
    const field = fields.get(name) ?? { name, conditions: [], constraints: [] };
    fields.set(name, field);
    if (type === 'conditionalValidation') {
      field.conditions.push(...(metadata.constraints as Field['conditions']));
    } else if (type === 'customValidation') {
      const constraints = storage.getTargetValidatorConstraints(constraintCls);
      field.constraints.push(...constraints.map(({ instance: constraint }) => ({ constraint, each })));
    } else if (type !== 'whitelistValidation') {
      return () => false;
    }
  }
  const all = [...fields.values()];
  return (object) =>
    Object.keys(object).every((name) => fields.has(name)) && all.every((field) => isRight(field, object));
}

function isRight({ name, conditions, constraints }: Field, object: object): boolean {
  const value = (object as Record<string, unknown>)[name];
  if (!conditions.every((condition) => condition(object, value))) return true;
  return constraints.every(({ constraint, each }) =>
    each && Array.isArray(value)
      ? value.every((item) => constraint.validate(item) === true)
      : constraint.validate(value) === true,
  );
}
