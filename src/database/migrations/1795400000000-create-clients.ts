import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateClients1795400000000 implements MigrationInterface {
  name = 'CreateClients1795400000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE clients (
        id integer GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_clients PRIMARY KEY,
        name varchar(255) NOT NULL,
        is_admin boolean NOT NULL
      )`);
    await queryRunner.query(`
      CREATE TABLE client_organizations (
        client_id integer CONSTRAINT fk_client_organizations_client REFERENCES clients (id) ON DELETE CASCADE,
        organization_id integer
          CONSTRAINT fk_client_organizations_organization REFERENCES organizations (id) ON DELETE CASCADE,
        CONSTRAINT pk_client_organizations PRIMARY KEY (client_id, organization_id)
      )`);
    await queryRunner.query(
      'CREATE INDEX ix_client_organizations_organization ON client_organizations (organization_id)',
    );
    await queryRunner.query(`
      CREATE TABLE api_keys (
        id integer GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_api_keys PRIMARY KEY,
        client_id integer NOT NULL CONSTRAINT fk_api_keys_client REFERENCES clients (id) ON DELETE CASCADE,
        hash bytea NOT NULL CONSTRAINT uq_api_keys_hash UNIQUE,
        prefix varchar(15) NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        last_used_at timestamptz,
        expires_at timestamptz
      )`);
    await queryRunner.query('CREATE INDEX ix_api_keys_client ON api_keys (client_id, id)');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE api_keys, client_organizations, clients');
  }
}
