import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateDirectory1795000000000 implements MigrationInterface {
  name = 'CreateDirectory1795000000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE organizations (
        id integer GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_organizations PRIMARY KEY,
        slug varchar(255) NOT NULL CONSTRAINT uq_organizations_slug UNIQUE,
        name varchar(255) NOT NULL
      )`);
    await queryRunner.query(`
      CREATE TABLE opportunities (
        id integer GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_opportunities PRIMARY KEY,
        organization_id integer NOT NULL
          CONSTRAINT fk_opportunities_organization REFERENCES organizations (id) ON DELETE CASCADE,
        slug varchar(255) NOT NULL CONSTRAINT uq_opportunities_slug UNIQUE,
        title varchar(255) NOT NULL
      )`);
    await queryRunner.query(
      'CREATE INDEX ix_opportunities_organization ON opportunities (organization_id, id)',
    );
    await queryRunner.query(`
      CREATE TABLE locations (
        id integer GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_locations PRIMARY KEY,
        organization_id integer NOT NULL
          CONSTRAINT fk_locations_organization REFERENCES organizations (id) ON DELETE CASCADE,
        name varchar(255) NOT NULL
      )`);
    await queryRunner.query('CREATE INDEX ix_locations_organization ON locations (organization_id, id)');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE locations, opportunities, organizations');
  }
}
