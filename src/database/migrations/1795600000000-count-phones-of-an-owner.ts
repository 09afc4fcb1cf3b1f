import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CountPhonesOfAnOwner1795600000000 implements MigrationInterface {
  name = 'CountPhonesOfAnOwner1795600000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    // VOLATILE for the same reason as owner_has_phones, which instances of the previous version still call.
    await queryRunner.query(`
      CREATE FUNCTION count_phones(type text, id integer, max integer) RETURNS integer LANGUAGE plpgsql VOLATILE AS $$
        BEGIN
          RETURN (
            SELECT count(*) FROM (
              SELECT FROM phones WHERE phones.owner_type = type AND phones.owner_id = count_phones.id LIMIT max
            ) AS first_phones
          );
        END
      $$`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP FUNCTION count_phones');
  }
}
