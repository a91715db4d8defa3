import { isTextKey, type Say, type TextKey } from '../texts/texts.ts';

type EventKey = Extract<TextKey, `event_${string}`>;

function isEventKey(key: string): key is EventKey {
  return key.startsWith('event_') && isTextKey(key);
}

/** In plain words; types of newer engines keep their own name. */
export function nameOfEvent(type: string, say: Say): string {
  const key = `event_${type}`;
  return isEventKey(key) ? say(key) : type;
}
