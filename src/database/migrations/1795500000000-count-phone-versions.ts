import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CountPhoneVersions1795500000000 implements MigrationInterface {
  name = 'CountPhoneVersions1795500000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE phones ADD version integer NOT NULL DEFAULT 1');
    // A trigger, so that every change counts, also one by an older instance of the service or by hand.
    await queryRunner.query(`
      CREATE FUNCTION count_version() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          NEW.version := OLD.version + 1;
          RETURN NEW;
        END
      $$`);
    await queryRunner.query(`
      CREATE TRIGGER phones_count_version BEFORE UPDATE ON phones FOR EACH ROW
      WHEN ((OLD.digits, OLD.phone_type, OLD.is_primary) IS DISTINCT FROM (NEW.digits, NEW.phone_type, NEW.is_primary))
      EXECUTE FUNCTION count_version()`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TRIGGER phones_count_version ON phones');
    await queryRunner.query('DROP FUNCTION count_version');
    await queryRunner.query('ALTER TABLE phones DROP version');
  }
}
