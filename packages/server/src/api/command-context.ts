import type { CommandContext } from '../app/handle.ts';
import { commandIdOf } from '../app/ids.ts';

/** The caller's idempotency key becomes the command's id, apart per tenant and procedure. */
export function repeatable(context: CommandContext, procedure: string, key: string | undefined): CommandContext {
  return key === undefined ? context : { ...context, commandId: commandIdOf(procedure, context.tenantId, key) };
}
