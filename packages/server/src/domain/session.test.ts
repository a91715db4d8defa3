import { KeyId, type NewSessionEvent, PassageId, StudentId, TurnId, TutorId } from '@virtual-tutor/schemas';
import { describe, expect, test } from 'vitest';
import { given } from '../../../../test/support/given.ts';
import { maxResumes, type SessionCommand, session } from './session.ts';

const lesson = {
  tutorId: TutorId.parse('ada'),
  tutorRevision: 1,
  studentId: StudentId.parse('s-1'),
  knowledgeBaseId: null,
  locale: 'en',
  limits: { maxDurationMs: 3_600_000, idleMs: 900_000 },
  mode: 'session',
} as const;
const turnId = TurnId.parse('11111111-1111-5111-8111-111111111111');
const otherTurn = TurnId.parse('22222222-2222-5222-8222-222222222222');
const clientMessageId = '33333333-3333-4333-8333-333333333333';
const linkId = KeyId.parse('44444444-4444-5444-8444-444444444444');
const hash = 'a'.repeat(64);
const expiresAt = '2026-01-01T00:15:00.000Z';

const created: NewSessionEvent = { type: 'SessionCreated', payload: lesson };
const hosted: NewSessionEvent = { type: 'SessionHosted', payload: { node: 'n1', epoch: 1 } };
const asked: NewSessionEvent = {
  type: 'MessageReceived',
  payload: { turnId, clientMessageId, modality: 'text', language: 'en', asr: null },
  personal: { text: 'why?' },
};
const started: NewSessionEvent = {
  type: 'ReplyStarted',
  payload: { turnId, provider: 'fake', model: 'm', promptHash: hash, temperature: 0, tutorRevision: 1, fallback: null },
};
const sentence = (index: number, text: string): NewSessionEvent => ({
  type: 'SentenceGenerated',
  payload: { turnId, index, citations: [] },
  personal: { text },
});
const heard = (index: number): NewSessionEvent => ({ type: 'SentenceHeard', payload: { turnId, index, playout: { medium: 'text' } } });
const ask = (over: Partial<Extract<SessionCommand, { type: 'ReceiveMessage' }>> = {}): SessionCommand => ({
  type: 'ReceiveMessage',
  turnId,
  clientMessageId,
  text: 'why?',
  modality: 'text',
  language: 'en',
  partial: '',
  heardMs: null,
  asr: null,
  ...over,
});
const replying = [created, hosted, asked, started];

describe('creating', () => {
  test('a session is created hosted by the node that creates it', () => {
    given(session, [])
      .when({ type: 'CreateSession', node: 'n1', ...lesson })
      .yields(created, hosted);
  });
  test('creating the same session again changes nothing', () => {
    given(session, [created])
      .when({ type: 'CreateSession', node: 'n1', ...lesson })
      .yields();
  });
  test('an id that made another session is refused', () => {
    given(session, [created])
      .when({ type: 'CreateSession', node: 'n1', ...lesson, tutorId: TutorId.parse('bob') })
      .refuses('command_reused');
  });
  test('nothing can be done with a session that is not there', () => {
    given(session, []).when(ask()).refuses('not_found');
  });
});

describe('messages', () => {
  test('a message opens a turn', () => {
    given(session, [created, hosted]).when(ask()).yields(asked);
  });
  test('a message that was said opens a turn with who understood it', () => {
    const asr = { engine: 'moonshine', model: 'tiny', asrMs: 80, durationMs: 1_200 };
    given(session, [created, hosted])
      .when(ask({ modality: 'voice', asr }))
      .yields({ ...asked, payload: { ...asked.payload, modality: 'voice', asr } });
  });
  test('the same message again changes nothing', () => {
    given(session, replying).when(ask()).yields();
  });
  test('a client message id cannot be used for other words', () => {
    given(session, replying)
      .when(ask({ text: 'what?' }))
      .refuses('command_reused');
  });
  test('a message during a reply interrupts it, with what was heard', () => {
    const next = ask({
      turnId: otherTurn,
      clientMessageId: '55555555-5555-4555-8555-555555555555',
      text: 'stop',
      partial: 'Bec',
      heardMs: null,
    });
    given(session, [...replying, sentence(0, 'Hm. '), heard(0), sentence(1, 'Because. ')])
      .when(next)
      .yields(
        {
          type: 'ReplyInterrupted',
          payload: { turnId, by: 'student', heardSentences: 1, discardedSentences: 1, heardMs: null },
          personal: { heardText: 'Hm. Bec' },
        },
        {
          type: 'MessageReceived',
          payload: {
            turnId: otherTurn,
            clientMessageId: '55555555-5555-4555-8555-555555555555',
            modality: 'text',
            language: 'en',
            asr: null,
          },
          personal: { text: 'stop' },
        },
      );
  });
});

describe('replies', () => {
  const fact = { turnId, epoch: 1 } as const;
  test('sentences are recorded in order', () => {
    given(session, replying)
      .when({ ...fact, type: 'RecordSentence', index: 1, text: 'x', citations: [] })
      .refuses('conflict');
    given(session, replying)
      .when({ ...fact, type: 'RecordSentence', index: 0, text: 'Hm. ', citations: [] })
      .yields(sentence(0, 'Hm. '));
  });
  test('a sentence is heard once', () => {
    const history = [...replying, sentence(0, 'Hm. ')];
    const hear: SessionCommand = { ...fact, type: 'RecordHeard', index: 0, playout: { medium: 'text' } };
    given(session, history).when(hear).yields(heard(0));
    given(session, [...history, heard(0)])
      .when(hear)
      .yields();
    given(session, replying).when(hear).refuses('conflict');
  });
  test('sentences are heard in order, so that what was heard has no hole', () => {
    given(session, [...replying, sentence(0, 'Hm. '), sentence(1, 'Yes. ')])
      .when({ ...fact, type: 'RecordHeard', index: 1, playout: { medium: 'text' } })
      .refuses('conflict');
  });
  test('a sentence that was said is heard with how much of it was played', () => {
    const playout = { medium: 'voice', heardMs: 900, durationMs: 1_000 } as const;
    given(session, [...replying, sentence(0, 'Hm. ')])
      .when({ ...fact, type: 'RecordHeard', index: 0, playout })
      .yields({ type: 'SentenceHeard', payload: { turnId, index: 0, playout } });
  });
  test('a reply is complete only when all of it was heard', () => {
    const timings = { asrMs: null, retrieveMs: 1, firstTokenMs: 2, firstAudioMs: null, firstFrameMs: null, totalMs: 3 };
    const complete: SessionCommand = { ...fact, type: 'CompleteReply', usage: null, timings };
    given(session, [...replying, sentence(0, 'Hm. ')])
      .when(complete)
      .refuses('conflict');
    given(session, [...replying, sentence(0, 'Hm. '), heard(0)])
      .when(complete)
      .yields({ type: 'ReplyCompleted', payload: { turnId, sentences: 1, usage: null, timings } });
  });
  test('facts of a host that was replaced are refused', () => {
    given(session, [...replying, { type: 'SessionHosted', payload: { node: 'n2', epoch: 2 } }])
      .when({ ...fact, type: 'RecordSentence', index: 0, text: 'x', citations: [] })
      .refuses('conflict');
  });
  test('facts of a turn that is over are refused', () => {
    given(session, [...replying, { type: 'ReplyFailed', payload: { turnId, code: 'timeout', retryable: true } }])
      .when({ ...fact, type: 'RecordSentence', index: 0, text: 'x', citations: [] })
      .refuses('conflict');
  });
  test('a reply goes on after a take-over, but not for ever', () => {
    const resumed = (attempt: number): NewSessionEvent => ({ type: 'ReplyResumed', payload: { turnId, fromIndex: 1, attempt } });
    const history = [...replying, sentence(0, 'Hm. ')];
    given(session, history)
      .when({ ...fact, type: 'ResumeReply' })
      .yields(resumed(1));
    const often = Array.from({ length: maxResumes }, (_, i) => resumed(i + 1));
    given(session, [...history, ...often])
      .when({ ...fact, type: 'ResumeReply' })
      .yields({ type: 'ReplyFailed', payload: { turnId, code: 'unavailable', retryable: true } });
  });
  test('a take-over before the first token starts the reply anew, and counts', () => {
    given(session, [created, hosted, asked])
      .when({ ...fact, type: 'ResumeReply' })
      .yields({ type: 'ReplyResumed', payload: { turnId, fromIndex: 0, attempt: 1 } });
  });
  test('an interruption of a voice says how much of the sentence was played', () => {
    given(session, [...replying, sentence(0, 'Hm. ')])
      .when({ type: 'InterruptReply', turnId, by: 'student', partial: 'H', heardMs: 120 })
      .yields({
        type: 'ReplyInterrupted',
        payload: { turnId, by: 'student', heardSentences: 0, discardedSentences: 1, heardMs: 120 },
        personal: { heardText: 'H' },
      });
  });
  test('an interruption before the first token is an interruption', () => {
    given(session, [created, hosted, asked])
      .when({ type: 'InterruptReply', turnId: null, by: 'student', partial: '', heardMs: null })
      .yields({
        type: 'ReplyInterrupted',
        payload: { turnId, by: 'student', heardSentences: 0, discardedSentences: 0, heardMs: null },
        personal: { heardText: '' },
      });
  });
  test('only the reply under way can be interrupted', () => {
    given(session, replying)
      .when({ type: 'InterruptReply', turnId: otherTurn, by: 'student', partial: '', heardMs: null })
      .refuses('nothing_to_interrupt');
    given(session, [created, hosted])
      .when({ type: 'InterruptReply', turnId: null, by: 'student', partial: '', heardMs: null })
      .refuses('nothing_to_interrupt');
  });
});

describe('media', () => {
  const peerId = '77777777-7777-4777-8777-777777777777';
  const candidate = { type: 'relay', port: 10_111, protocol: 'udp' } as const;
  const connected = { peerId, local: { ...candidate, type: 'host' }, remote: candidate } as const;
  const gone = { peerId, reason: 'lost', connectedMs: 5, bytesSent: 7 } as const;
  test('connections are recorded with or without a turn, and whoever hosts the session', () => {
    for (const history of [[created], [created, hosted], replying]) {
      given(session, history)
        .when({ type: 'RecordConnected', ...connected })
        .yields({ type: 'MediaConnected', payload: connected });
      given(session, history)
        .when({ type: 'RecordDisconnected', ...gone })
        .yields({ type: 'MediaDisconnected', payload: gone });
    }
  });
  test('a lesson begins in writing, and knows how it reaches the student', () => {
    const toVideo: SessionCommand = { type: 'ChangeQuality', to: 'video', reason: 'connected' };
    const video: NewSessionEvent = { type: 'QualityChanged', payload: { from: 'text', to: 'video', reason: 'connected' } };
    given(session, [created]).when(toVideo).yields(video);
    expect(given(session, [created, video]).state).toMatchObject({ quality: 'video' });
    given(session, [created, video])
      .when({ type: 'ChangeQuality', to: 'voice', reason: 'renderer_late' })
      .yields({ type: 'QualityChanged', payload: { from: 'video', to: 'voice', reason: 'renderer_late' } });
  });
  test('a step to where the lesson is already is none', () => {
    given(session, [created]).when({ type: 'ChangeQuality', to: 'text', reason: 'worker_crashed' }).yields();
  });
  test('nothing of it changes a turn', () => {
    const { state } = given(session, [
      ...replying,
      { type: 'MediaConnected', payload: connected },
      { type: 'MediaDisconnected', payload: gone },
    ]);
    expect(state).toEqual(given(session, replying).state);
  });
  test('an ended session has none', () => {
    const over = [created, { type: 'SessionEnded', payload: { reason: 'student' } }] as const;
    given(session, over)
      .when({ type: 'RecordConnected', ...connected })
      .refuses('session_ended');
    given(session, over).when({ type: 'ChangeQuality', to: 'video', reason: 'connected' }).refuses('session_ended');
  });
});

describe('ending', () => {
  test('ending a session closes the turn under way first', () => {
    given(session, [...replying, sentence(0, 'Hm. '), heard(0)])
      .when({ type: 'EndSession', reason: 'idle', partial: '', heardMs: null })
      .yields(
        {
          type: 'ReplyInterrupted',
          payload: { turnId, by: 'timeout', heardSentences: 1, discardedSentences: 0, heardMs: null },
          personal: { heardText: 'Hm. ' },
        },
        { type: 'SessionEnded', payload: { reason: 'idle' } },
      );
  });
  test('an ended session takes nothing but being ended again', () => {
    const over = [created, hosted, { type: 'SessionEnded', payload: { reason: 'student' } }] as const;
    given(session, over).when(ask()).refuses('session_ended');
    given(session, over).when({ type: 'EndSession', reason: 'operator', partial: '', heardMs: null }).yields();
  });
});

describe('one-time links', () => {
  const issued: NewSessionEvent = { type: 'JoinLinkIssued', payload: { linkId, codeHash: hash, expiresAt } };
  const redeem = (now: string, codeHash = hash): SessionCommand => ({ type: 'RedeemJoinLink', codeHash, now });
  test('a link opens the room once', () => {
    const redeemed: NewSessionEvent = { type: 'JoinLinkRedeemed', payload: { linkId } };
    given(session, [created, issued]).when(redeem('2026-01-01T00:01:00.000Z')).yields(redeemed);
    given(session, [created, issued, redeemed]).when(redeem('2026-01-01T00:01:00.000Z')).refuses('link_used');
  });
  test('a link expires, and a wrong code opens nothing', () => {
    given(session, [created, issued]).when(redeem('2026-01-01T00:15:00.000Z')).refuses('link_used');
    given(session, [created, issued])
      .when(redeem('2026-01-01T00:01:00.000Z', 'b'.repeat(64)))
      .refuses('not_found');
  });
});

test('the fold keeps citations and forgets nothing that was heard', () => {
  const passageId = PassageId.parse('66666666-6666-5666-8666-666666666666#0');
  const { state } = given(session, [
    ...replying,
    { type: 'SentenceGenerated', payload: { turnId, index: 0, citations: [passageId] }, personal: { text: 'Hm [1]. ' } },
    heard(0),
  ]);
  expect(state).toMatchObject({ turns: [{ sentences: [{ text: 'Hm [1]. ', citations: [passageId], heard: true }] }] });
});
