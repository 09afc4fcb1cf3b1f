import {
  Column,
  Entity,
  Index,
  JoinColumn,
  ManyToOne,
  PrimaryGeneratedColumn,
  type Relation,
  Unique,
} from 'typeorm';
import { Client } from './client.entity.js';

/** An API key of a client. Only its hash is stored, and a prefix by which people recognize it. */
@Entity('api_keys')
@Unique('uq_api_keys_hash', ['hash'])
@Index('ix_api_keys_client', ['client_id', 'id'])
export class ApiKey {
  @PrimaryGeneratedColumn('identity', {
    generatedIdentity: 'ALWAYS',
    primaryKeyConstraintName: 'pk_api_keys',
  })
  id!: number;

  @Column({ type: 'integer' })
  client_id!: number;

  @ManyToOne(() => Client, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'client_id', foreignKeyConstraintName: 'fk_api_keys_client' })
  client?: Relation<Client>;

  @Column({ type: 'bytea', select: false })
  hash!: Buffer;

  @Column({ type: 'varchar', length: 15 })
  prefix!: string;

  @Column({ type: 'timestamptz', default: () => 'now()' })
  created_at!: Date;

  /** To the hour, so that a busy key costs one write an hour, not one per request. */
  @Column({ type: 'timestamptz', nullable: true })
  last_used_at!: Date | null;

  @Column({ type: 'timestamptz', nullable: true })
  expires_at!: Date | null;
}
