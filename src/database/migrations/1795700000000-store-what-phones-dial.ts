import type { MigrationInterface, QueryRunner } from 'typeorm';

export class StoreWhatPhonesDial1795700000000 implements MigrationInterface {
  name = 'StoreWhatPhonesDial1795700000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    // The rules are not SQL, so the service fills the columns in the background once it has started.
    await queryRunner.query(`
      ALTER TABLE phones
        ADD dial varchar(16),
        ADD dial_extension varchar(9),
        ADD dialed_digits varchar(255),
        ADD dialing_version varchar(32)`);
    await queryRunner.query('CREATE INDEX ix_phones_dial ON phones (dial, id) WHERE dial IS NOT NULL');
    await queryRunner.query('CREATE INDEX ix_phones_not_dialed ON phones (id) WHERE dialing_version IS NULL');
    // Whoever changes the digits, but does not know these columns, would leave what the former digits dial.
    await queryRunner.query(`
      CREATE FUNCTION clear_dialing() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          NEW.dial := NULL;
          NEW.dial_extension := NULL;
          NEW.dialed_digits := NULL;
          NEW.dialing_version := NULL;
          RETURN NEW;
        END
      $$`);
    await queryRunner.query(`
      CREATE TRIGGER phones_clear_dialing BEFORE UPDATE ON phones FOR EACH ROW
      WHEN (NEW.digits IS DISTINCT FROM OLD.digits AND NEW.digits IS DISTINCT FROM NEW.dialed_digits)
      EXECUTE FUNCTION clear_dialing()`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TRIGGER phones_clear_dialing ON phones');
    await queryRunner.query('DROP FUNCTION clear_dialing');
    await queryRunner.query(
      'ALTER TABLE phones DROP dial, DROP dial_extension, DROP dialed_digits, DROP dialing_version',
    );
  }
}
