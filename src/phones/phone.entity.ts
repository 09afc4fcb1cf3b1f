import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryGeneratedColumn } from 'typeorm';
import { Location } from '../directory/location.entity.js';
import { Opportunity } from '../directory/opportunity.entity.js';
import { Organization } from '../directory/organization.entity.js';
import { OWNER_TYPES, type OwnerType } from './phone-owner.js';

/** A generated foreign key column: the ID of the owner if it is of this type, else null. */
const OwnerId = (ownerType: OwnerType) =>
  Column({
    type: 'integer',
    nullable: true,
    generatedType: 'STORED',
    asExpression: `CASE WHEN owner_type = '${ownerType}' THEN owner_id END`,
  });

/**
 * A phone number of an organization, an opportunity or a location. `owner_type` and `owner_id` identify the owner; the
 * generated columns turn them into foreign keys, so that every phone has an existing owner.
 */
@Entity('phones')
@Check('ck_phones_owner_type', `owner_type IN (${OWNER_TYPES.map((type) => `'${type}'`).join(', ')})`)
@Check('ck_phones_digits', `digits <> ''`)
@Check('ck_phones_phone_type', `phone_type <> ''`)
@Index('ix_phones_owner', ['owner_type', 'owner_id', 'id'])
@Index('uq_phones_primary', ['owner_type', 'owner_id'], { unique: true, where: 'is_primary' })
@Index('ix_phones_organization', ['organization_id'], { where: 'organization_id IS NOT NULL' })
@Index('ix_phones_opportunity', ['opportunity_id'], { where: 'opportunity_id IS NOT NULL' })
@Index('ix_phones_location', ['location_id'], { where: 'location_id IS NOT NULL' })
@Index('ix_phones_dial', ['dial', 'id'], { where: 'dial IS NOT NULL' })
@Index('ix_phones_not_dialed', ['id'], { where: 'dialing_version IS NULL' })
export class Phone {
  @PrimaryGeneratedColumn('identity', { generatedIdentity: 'ALWAYS', primaryKeyConstraintName: 'pk_phones' })
  id!: number;

  @Column({ type: 'varchar', length: 12 })
  owner_type!: OwnerType;

  @Column({ type: 'integer' })
  owner_id!: number;

  @Column({ type: 'varchar', length: 255 })
  digits!: string;

  @Column({ type: 'varchar', length: 255, nullable: true })
  phone_type!: string | null;

  @Column({ type: 'boolean' })
  is_primary!: boolean;

  /** Incremented by a trigger with every change. Part of the entity tag. */
  @Column({ type: 'integer', default: 1 })
  version!: number;

  /** A number in E.164 format or a short code; null if nothing can be dialed, or if that is not known yet. */
  @Column({ type: 'varchar', length: 16, nullable: true })
  dial!: string | null;

  @Column({ type: 'varchar', length: 9, nullable: true })
  dial_extension!: string | null;

  /** The digits from which `dial` was computed. If only `digits` is changed, a trigger clears all four columns. */
  @Column({ type: 'varchar', length: 255, nullable: true })
  dialed_digits!: string | null;

  /** The rules by which `dial` was computed; null if it was not. */
  @Column({ type: 'varchar', length: 32, nullable: true })
  dialing_version!: string | null;

  @OwnerId('organization')
  organization_id!: number | null;

  @OwnerId('opportunity')
  opportunity_id!: number | null;

  @OwnerId('location')
  location_id!: number | null;

  @ManyToOne(() => Organization, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'organization_id', foreignKeyConstraintName: 'fk_phones_organization' })
  organization?: Organization | null;

  @ManyToOne(() => Opportunity, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'opportunity_id', foreignKeyConstraintName: 'fk_phones_opportunity' })
  opportunity?: Opportunity | null;

  @ManyToOne(() => Location, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'location_id', foreignKeyConstraintName: 'fk_phones_location' })
  location?: Location | null;
}
