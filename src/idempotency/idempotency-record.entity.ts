import { Column, CreateDateColumn, Entity, Index, PrimaryColumn } from 'typeorm';

/** The response to a POST request with an `Idempotency-Key`. */
@Entity('idempotency_keys')
export class IdempotencyRecord {
  /** The client that sent the request. The column keeps its former name for instances of the previous version. */
  @PrimaryColumn({ type: 'varchar', length: 20, primaryKeyConstraintName: 'pk_idempotency_keys' })
  caller!: string;

  @PrimaryColumn({ type: 'varchar', length: 255, primaryKeyConstraintName: 'pk_idempotency_keys' })
  key!: string;

  /** Distinguishes a retry from a different request with the same key. */
  @Column({ type: 'bytea' })
  fingerprint!: Buffer;

  /** The body of the response, likewise. `json`, not `jsonb`, keeps the order of its fields. */
  @Column({ type: 'json' })
  answer!: object;

  @CreateDateColumn({ type: 'timestamptz' })
  @Index('ix_idempotency_keys_created_at')
  created_at!: Date;
}
