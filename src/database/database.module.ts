import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Pool } from 'pg';
import { DataSource } from 'typeorm';
import dataSource from '../../ormconfig.js';
import type { AppDataSource } from './app-data-source.js';

/** Provides the data source, which `createApp` has initialized, and its connection pool. */
@Global()
@Module({
  imports: [
    TypeOrmModule.forRootAsync({
      useFactory: () => dataSource.options,
      dataSourceFactory: () => Promise.resolve(dataSource),
    }),
  ],
  providers: [{ provide: Pool, inject: [DataSource], useFactory: ({ pool }: AppDataSource) => pool }],
  exports: [Pool],
})
export class DatabaseModule {}
