import type { KeyId, NewTenantEvent, Role, StudentId, TenantEvent } from '@virtual-tutor/schemas';
import { accept, type Decider, type Decision, refuse } from './decision.ts';

export type TenantState =
  | { readonly status: 'absent' }
  | {
      readonly status: 'active';
      readonly name: string;
      readonly keys: ReadonlyMap<KeyId, { readonly role: Role; readonly revoked: boolean }>;
      readonly forgotten: ReadonlySet<StudentId>;
      /** Days for which a lesson's words are kept after its end; null: until the student is forgotten. */
      readonly wordsDays: number | null;
    };

export type TenantCommand =
  | { readonly type: 'CreateTenant'; readonly name: string }
  | { readonly type: 'IssueApiKey'; readonly keyId: KeyId; readonly role: Role; readonly label: string; readonly keyHash: string }
  | { readonly type: 'RevokeApiKey'; readonly keyId: KeyId }
  | { readonly type: 'ConfigureRetention'; readonly wordsDays: number | null }
  | { readonly type: 'RecordExport'; readonly studentId: StudentId }
  | { readonly type: 'ForgetStudent'; readonly studentId: StudentId };

type Active = Extract<TenantState, { status: 'active' }>;

function decideActive(command: Exclude<TenantCommand, { type: 'CreateTenant' }>, state: Active): Decision<NewTenantEvent> {
  switch (command.type) {
    case 'IssueApiKey': {
      const { keyId, role, label, keyHash } = command;
      const known = state.keys.get(keyId);
      if (known === undefined) return accept({ type: 'ApiKeyIssued', payload: { keyId, role, label, keyHash } });
      return known.role === role ? accept() : refuse('command_reused', 'this idempotency key already made a key of another role');
    }
    case 'RevokeApiKey': {
      const known = state.keys.get(command.keyId);
      if (known === undefined) return refuse('not_found', 'there is no such API key');
      return known.revoked ? accept() : accept({ type: 'ApiKeyRevoked', payload: { keyId: command.keyId } });
    }
    case 'ConfigureRetention': {
      const [before, after] = [state.wordsDays, command.wordsDays];
      return before === after ? accept() : accept({ type: 'RetentionConfigured', payload: { before, after } });
    }
    case 'RecordExport':
      return accept({ type: 'StudentExported', payload: { studentId: command.studentId } });
    case 'ForgetStudent': {
      const { studentId } = command;
      return state.forgotten.has(studentId) ? accept() : accept({ type: 'StudentForgotten', payload: { studentId } });
    }
  }
}

export const tenant: Decider<TenantState, TenantCommand, TenantEvent, NewTenantEvent> = {
  initial: { status: 'absent' },
  evolve(state, event) {
    if (event.type === 'TenantCreated') {
      return { status: 'active', name: event.payload.name, keys: new Map(), forgotten: new Set(), wordsDays: null };
    }
    if (state.status === 'absent') throw new Error(`${event.type} cannot come before TenantCreated`);
    switch (event.type) {
      case 'ApiKeyIssued':
        return { ...state, keys: new Map(state.keys).set(event.payload.keyId, { role: event.payload.role, revoked: false }) };
      case 'ApiKeyRevoked': {
        const known = state.keys.get(event.payload.keyId);
        return known === undefined ? state : { ...state, keys: new Map(state.keys).set(event.payload.keyId, { ...known, revoked: true }) };
      }
      case 'RetentionConfigured':
        return { ...state, wordsDays: event.payload.after };
      case 'StudentExported':
        return state;
      case 'StudentForgotten':
        return { ...state, forgotten: new Set(state.forgotten).add(event.payload.studentId) };
    }
  },
  decide(command, state) {
    if (command.type === 'CreateTenant') {
      return state.status === 'absent' ? accept({ type: 'TenantCreated', payload: { name: command.name } }) : accept();
    }
    return state.status === 'absent' ? refuse('not_found', 'there is no such tenant') : decideActive(command, state);
  },
};
