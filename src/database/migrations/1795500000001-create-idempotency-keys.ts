import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateIdempotencyKeys1795500000001 implements MigrationInterface {
  name = 'CreateIdempotencyKeys1795500000001';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE idempotency_keys (
        caller varchar(20),
        key varchar(255),
        fingerprint bytea NOT NULL,
        answer json NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT pk_idempotency_keys PRIMARY KEY (caller, key)
      )`);
    await queryRunner.query('CREATE INDEX ix_idempotency_keys_created_at ON idempotency_keys (created_at)');
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE idempotency_keys');
  }
}
