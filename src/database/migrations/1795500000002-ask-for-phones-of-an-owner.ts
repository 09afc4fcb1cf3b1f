import type { MigrationInterface, QueryRunner } from 'typeorm';

export class AskForPhonesOfAnOwner1795500000002 implements MigrationInterface {
  name = 'AskForPhonesOfAnOwner1795500000002';

  async up(queryRunner: QueryRunner): Promise<void> {
    // VOLATILE, so that it sees what was committed while the calling statement waited for the lock of the owner. The
    // statement itself only sees what was committed before it started (PostgreSQL, "Function Volatility Categories").
    await queryRunner.query(`
      CREATE FUNCTION owner_has_phones(type text, id integer) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
        BEGIN
          RETURN EXISTS (SELECT FROM phones WHERE phones.owner_type = type AND phones.owner_id = owner_has_phones.id);
        END
      $$`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP FUNCTION owner_has_phones');
  }
}
