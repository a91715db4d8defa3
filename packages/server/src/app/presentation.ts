import { type CitedPassage, type FeedItem, type SessionEvent, streams, type TenantId } from '@virtual-tutor/schemas';
import { tutors } from './aggregates.ts';
import type { OpenEvent } from './event-codec.ts';
import type { Handle } from './handle.ts';
import type { Present } from './lesson-feed.ts';
import type { Library } from './library.ts';

/** How the session's durable events look to its student. */
export function createPresentation(handle: Handle, library: Library): Present {
  async function opened(event: Extract<OpenEvent<SessionEvent>, { type: 'SessionCreated' }>): Promise<FeedItem> {
    const { tutorId, tutorRevision, locale } = event.payload;
    const { tenantId, occurredAt: at } = event.stored.meta;
    const { state } = await handle.load(tutors, streams.tutor(tenantId, tutorId), { tenantId, revision: tutorRevision });
    const settings = state.status === 'absent' ? null : state.settings;
    return { type: 'sessionOpened', locale, tutorId, tutorName: settings?.name ?? tutorId, greeting: settings?.greeting ?? '', at };
  }

  function cited(tenantId: TenantId, event: Extract<SessionEvent, { type: 'PassagesRetrieved' }>): CitedPassage[] {
    const shelf = library.find(tenantId, event.payload.knowledgeBaseId);
    const found = new Map(shelf?.passages(event.payload.passages).map((passage) => [passage.passageId, passage]));
    return event.payload.passages.map(({ passageId, documentId }) => {
      const passage = found.get(passageId);
      return { passageId, documentId, title: passage?.title ?? null, text: passage?.text ?? null };
    });
  }

  return async (event) => {
    switch (event.type) {
      case 'SessionCreated':
        return opened(event);
      case 'MessageReceived': {
        const { turnId, clientMessageId, modality } = event.payload;
        return { type: 'message', turnId, clientMessageId, modality, text: event.personal?.text ?? null, at: event.stored.meta.occurredAt };
      }
      case 'PassagesRetrieved':
        return { type: 'passages', turnId: event.payload.turnId, passages: cited(event.stored.meta.tenantId, event) };
      case 'ReplyStarted': {
        const { turnId, provider, model, fallback } = event.payload;
        return { type: 'replyStarted', turnId, provider, model, fallback };
      }
      case 'ReplyResumed':
        return { type: 'replyResumed', turnId: event.payload.turnId, fromIndex: event.payload.fromIndex };
      case 'SentenceGenerated':
        return { type: 'sentence', ...event.payload, text: event.personal?.text ?? null };
      case 'ReplyCompleted':
        return { type: 'replyCompleted', ...event.payload };
      case 'ReplyInterrupted': {
        const { turnId, by } = event.payload;
        return { type: 'replyInterrupted', turnId, by, heardText: event.personal?.heardText ?? null };
      }
      case 'ReplyFailed':
        return { type: 'replyFailed', ...event.payload };
      case 'QualityChanged':
        return { type: 'quality', ...event.payload };
      case 'SessionEnded':
        return { type: 'sessionEnded', ...event.payload };
      case 'JoinLinkIssued':
      case 'JoinLinkRedeemed':
      case 'SessionHosted':
      case 'SessionReleased':
      case 'SentenceHeard':
      case 'MediaConnected':
      case 'MediaDisconnected':
      case 'SessionWordsExpired':
        return null;
    }
  };
}
