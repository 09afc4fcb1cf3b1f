import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreatePhones1795000000001 implements MigrationInterface {
  name = 'CreatePhones1795000000001';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE phones (
        id integer GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_phones PRIMARY KEY,
        owner_type varchar(12) NOT NULL
          CONSTRAINT ck_phones_owner_type CHECK (owner_type IN ('organization', 'opportunity', 'location')),
        owner_id integer NOT NULL,
        digits varchar(255) NOT NULL CONSTRAINT ck_phones_digits CHECK (digits <> ''),
        phone_type varchar(255) CONSTRAINT ck_phones_phone_type CHECK (phone_type <> ''),
        is_primary boolean NOT NULL,
        organization_id integer
          GENERATED ALWAYS AS (CASE WHEN owner_type = 'organization' THEN owner_id END) STORED
          CONSTRAINT fk_phones_organization REFERENCES organizations (id) ON DELETE CASCADE,
        opportunity_id integer
          GENERATED ALWAYS AS (CASE WHEN owner_type = 'opportunity' THEN owner_id END) STORED
          CONSTRAINT fk_phones_opportunity REFERENCES opportunities (id) ON DELETE CASCADE,
        location_id integer
          GENERATED ALWAYS AS (CASE WHEN owner_type = 'location' THEN owner_id END) STORED
          CONSTRAINT fk_phones_location REFERENCES locations (id) ON DELETE CASCADE
      )`);
    await queryRunner.query('CREATE INDEX ix_phones_owner ON phones (owner_type, owner_id, id)');
    await queryRunner.query(
      'CREATE UNIQUE INDEX uq_phones_primary ON phones (owner_type, owner_id) WHERE is_primary',
    );
    for (const owner of ['organization', 'opportunity', 'location']) {
      await queryRunner.query(
        `CREATE INDEX ix_phones_${owner} ON phones (${owner}_id) WHERE ${owner}_id IS NOT NULL`,
      );
      // TypeORM stores the expression of a generated column here, and compares it with that of the entity.
      await queryRunner.query(
        `INSERT INTO typeorm_metadata (database, schema, "table", type, name, value)
         VALUES (current_database(), current_schema(), 'phones', 'GENERATED_COLUMN', $1, $2)`,
        [`${owner}_id`, `CASE WHEN owner_type = '${owner}' THEN owner_id END`],
      );
    }
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE phones');
    await queryRunner.query(`DELETE FROM typeorm_metadata WHERE "table" = 'phones'`);
  }
}
