import { bigint, integer, pgTable, primaryKey, text, timestamp } from 'drizzle-orm/pg-core';

/** Made by the migrations. */
export const checkpoints = pgTable(
  'projection_checkpoint',
  {
    projection: text().notNull(),
    generation: integer().notNull(),
    version: integer().notNull(),
    position: bigint({ mode: 'number' }).notNull().default(0),
    epoch: bigint({ mode: 'number' }).notNull().default(0),
    owner: text(),
    leaseUntil: timestamp('lease_until', { withTimezone: true }),
    /** `parked` still serves what it has; `parked_rebuild` never served. */
    state: text({ enum: ['active', 'rebuilding', 'parked', 'parked_rebuild'] }).notNull(),
    error: text(),
  },
  (table) => [primaryKey({ columns: [table.projection, table.generation] })],
);

/** Rows of all projections, apart by name and generation. */
export const rows = pgTable(
  'projection_row',
  {
    projection: text().notNull(),
    generation: integer().notNull(),
    key: text().notNull(),
    tenantId: text('tenant_id').notNull(),
    parent: text().notNull(),
    status: text().notNull(),
    sort: bigint({ mode: 'number' }).notNull(),
    /** JSON of the row. */
    row: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.projection, table.generation, table.key] })],
);
