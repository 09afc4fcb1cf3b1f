import { Column, Entity, OneToMany, PrimaryGeneratedColumn } from 'typeorm';
import { ApiKey } from './api-key.entity.js';
import { ClientOrganization } from './client-organization.entity.js';

/** A user of the API with keys of its own: a product, a script or an agency. */
@Entity('clients')
export class Client {
  @PrimaryGeneratedColumn('identity', {
    generatedIdentity: 'ALWAYS',
    primaryKeyConstraintName: 'pk_clients',
  })
  id!: number;

  @Column({ type: 'varchar', length: 255 })
  name!: string;

  @Column({ type: 'boolean' })
  is_admin!: boolean;

  @OneToMany(() => ClientOrganization, ({ client }) => client)
  organizations!: ClientOrganization[];

  @OneToMany(() => ApiKey, ({ client }) => client)
  keys!: ApiKey[];
}
