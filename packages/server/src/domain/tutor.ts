import { type NewTutorEvent, type TutorEvent, TutorSettings } from '@virtual-tutor/schemas';
import { accept, type Decider, refuse } from './decision.ts';

export type TutorState =
  | { readonly status: 'absent' }
  | { readonly status: 'active'; readonly settings: TutorSettings }
  | { readonly status: 'retired'; readonly settings: TutorSettings };

export type TutorCommand = { readonly type: 'ConfigureTutor'; readonly settings: TutorSettings } | { readonly type: 'RetireTutor' };

const settings = TutorSettings.keyof().options;

function sameSettings(a: TutorSettings, b: TutorSettings): boolean {
  return settings.every((setting) => a[setting] === b[setting]);
}

export const tutor: Decider<TutorState, TutorCommand, TutorEvent, NewTutorEvent> = {
  initial: { status: 'absent' },
  evolve(state, event) {
    switch (event.type) {
      case 'TutorConfigured':
        return { status: 'active', settings: event.payload.after };
      case 'TutorRetired':
        return state.status === 'absent' ? state : { status: 'retired', settings: state.settings };
    }
  },
  decide(command, state) {
    switch (command.type) {
      case 'ConfigureTutor': {
        const before = state.status === 'absent' ? null : state.settings;
        const unchanged = state.status === 'active' && sameSettings(state.settings, command.settings);
        return unchanged ? accept() : accept({ type: 'TutorConfigured', payload: { before, after: command.settings } });
      }
      case 'RetireTutor':
        if (state.status === 'absent') return refuse('not_found', 'there is no such tutor');
        return state.status === 'retired' ? accept() : accept({ type: 'TutorRetired', payload: {} });
    }
  },
};
