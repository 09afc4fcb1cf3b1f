import { Column, CreateDateColumn, Entity, Index, PrimaryColumn } from 'typeorm';

/** An `Idempotency-Key` that was sent with a POST, and what was answered. (`IdempotencyKey` is the parameter that reads it.) */
@Entity('idempotency_keys')
export class IdempotencyRecord {
  /** Who sent it: each caller has keys of its own. */
  @PrimaryColumn({ type: 'varchar', length: 20, primaryKeyConstraintName: 'pk_idempotency_keys' })
  caller!: string;

  @PrimaryColumn({ type: 'varchar', length: 255, primaryKeyConstraintName: 'pk_idempotency_keys' })
  key!: string;

  /** Tells another request with the same key from the same one sent again. */
  @Column({ type: 'bytea' })
  fingerprint!: Buffer;

  /** What was created. As `json`, not `jsonb`, it keeps the order of its fields. */
  @Column({ type: 'json' })
  answer!: object;

  @CreateDateColumn({ type: 'timestamptz' })
  @Index('ix_idempotency_keys_created_at')
  created_at!: Date;
}
