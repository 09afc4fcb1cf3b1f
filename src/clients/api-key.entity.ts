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

/** A key of a client. The key itself is nowhere: only its hash, and enough of it for people to tell it from others. */
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

  /** To the hour, so that using a key is one write an hour and not one a request. */
  @Column({ type: 'timestamptz', nullable: true })
  last_used_at!: Date | null;

  @Column({ type: 'timestamptz', nullable: true })
  expires_at!: Date | null;
}
