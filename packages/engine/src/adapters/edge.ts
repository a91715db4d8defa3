import { SpeechUnavailable, type Tts } from '../media/ports.ts';

export function createEdge(_options: { readonly url: string | null }): Tts {
  return {
    name: 'edge',
    languages: ['en', 'zh'],
    synthesize: () => Promise.reject(new SpeechUnavailable('unreachable', 'not built yet')),
  };
}
