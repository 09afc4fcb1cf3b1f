import { ApiProperty } from '@nestjs/swagger';

export class PhoneDto {
  @ApiProperty({ description: 'Unique ID of the phone number.', type: 'integer', example: 1 })
  id!: number;

  @ApiProperty({ description: 'The phone number, as it was written.', example: '415-555-0132 x 307' })
  digits!: string;

  @ApiProperty({ description: 'What the number is for.', type: String, nullable: true, example: 'Intake' })
  phone_type!: string | null;

  @ApiProperty({ description: "Whether it is the owner's primary number.", example: true })
  is_primary!: boolean;
}

interface JsonTypes {
  integer: number;
  string: string;
  boolean: boolean;
}

/** The JSON Schema of a TypeScript type. */
type SchemaOf<Value> = {
  [Type in keyof JsonTypes]: NonNullable<Value> extends JsonTypes[Type]
    ? { type: Type } & (null extends Value ? { nullable: true } : object)
    : never;
}[keyof JsonTypes];

/**
 * The fields of a phone in their order in responses: SQL selects them, and Fastify serializes them by their JSON
 * Schema. It does not compile unless they are the fields of {@link PhoneDto}.
 */
export const PHONE_FIELDS = {
  id: { type: 'integer' },
  digits: { type: 'string' },
  phone_type: { type: 'string', nullable: true },
  is_primary: { type: 'boolean' },
} as const satisfies { [Field in keyof PhoneDto]: SchemaOf<PhoneDto[Field]> };
