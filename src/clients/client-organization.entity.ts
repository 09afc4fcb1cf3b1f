import { Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { Organization } from '../directory/organization.entity.js';
import { Client } from './client.entity.js';

/** The permission of a client to manage an organization. */
@Entity('client_organizations')
@Index('ix_client_organizations_organization', ['organization_id'])
export class ClientOrganization {
  @PrimaryColumn({ type: 'integer', primaryKeyConstraintName: 'pk_client_organizations' })
  client_id!: number;

  @PrimaryColumn({ type: 'integer', primaryKeyConstraintName: 'pk_client_organizations' })
  organization_id!: number;

  @ManyToOne(() => Client, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'client_id', foreignKeyConstraintName: 'fk_client_organizations_client' })
  client?: Relation<Client>;

  @ManyToOne(() => Organization, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'organization_id', foreignKeyConstraintName: 'fk_client_organizations_organization' })
  organization?: Organization;
}
