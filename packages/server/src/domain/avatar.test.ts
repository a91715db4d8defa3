import { type AvatarEvent, AvatarStage, type NewAvatarEvent, TutorId } from '@virtual-tutor/schemas';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { given } from '../../../../test/support/given.ts';
import { type AvatarCommand, type AvatarState, avatar, mostAttempts } from './avatar.ts';

const sha256 = 'a'.repeat(64);
const ada = TutorId.parse('ada');
const payload = { source: 'upload', bytes: 9, sha256, node: 'n1', tutorId: null, consentedAt: '2026-01-01T00:00:00.000Z' } as const;
const personal = { name: 'Ms Li', fileName: 'li.mp4', consent: { by: 'Li Na', statement: 'You may use my face.' } };
const result = {
  ...{ frames: 50, fps: 25, width: 512, height: 512, renderer: 'warp' as const },
  quality: { faceHeightPx: 240, brightness: 120, mouthOpening: 0.01, turn: 0.1, motion: 0.01 },
  artifacts: [{ name: 'idle.webm', sha256, bytes: 1 }],
};
const reasons: Extract<AvatarCommand, { type: 'RejectClip' }>['reasons'] = [{ code: 'no_face', atMs: 40, picture: null }];

const register: AvatarCommand = { type: 'RegisterAvatar', payload, personal };
const start: AvatarCommand = { type: 'StartBuild', node: 'n1' };
const complete = (attempt = 1): AvatarCommand => ({ type: 'CompleteBuild', attempt, result });
const reject: AvatarCommand = { type: 'RejectClip', attempt: 1, reasons };
const fail = (attempt: number, retryable: boolean): AvatarCommand => ({ type: 'FailBuild', attempt, code: 'crashed', retryable });
const progress = (stage: AvatarStage, fraction: number): AvatarCommand => ({ type: 'RecordProgress', attempt: 1, stage, fraction });
const assign: AvatarCommand = { type: 'AssignAvatar', tutorId: ada };
const revoke: AvatarCommand = { type: 'RevokeAvatar', reason: 'consent_withdrawn' };
const remove: AvatarCommand = { type: 'DeleteAvatar' };

const registered: NewAvatarEvent = { type: 'AvatarRegistered', payload, personal };
const started = (attempt = 1): NewAvatarEvent => ({ type: 'AvatarBuildStarted', payload: { attempt, node: 'n1' } });
const progressed = (stage: AvatarStage, fraction: number): NewAvatarEvent => ({
  type: 'AvatarBuildProgressed',
  payload: { stage, fraction },
});
const ready: NewAvatarEvent = { type: 'AvatarReady', payload: result };
const rejected: NewAvatarEvent = { type: 'AvatarRejected', payload: { reasons: [...reasons] } };
const failed = (attempt: number, retryable: boolean): NewAvatarEvent => ({
  type: 'AvatarBuildFailed',
  payload: { code: 'crashed', attempt, retryable },
});
const assigned: NewAvatarEvent = { type: 'AvatarAssigned', payload: { tutorId: ada } };
const revoked: NewAvatarEvent = { type: 'AvatarRevoked', payload: { reason: 'consent_withdrawn' } };
const deleted: NewAvatarEvent = { type: 'AvatarDeleted', payload: {} };

const building = [registered, started()];
const histories: Readonly<Record<Exclude<AvatarState['status'], 'absent'>, readonly NewAvatarEvent[]>> = {
  queued: [registered],
  building,
  ready: [...building, ready],
  rejected: [...building, rejected],
  failed: [...building, failed(1, false)],
  revoked: [...building, ready, revoked],
  deleted: [...building, ready, deleted],
};
type Status = keyof typeof histories;
const statuses: readonly Status[] = ['queued', 'building', 'ready', 'rejected', 'failed', 'revoked', 'deleted'];

describe('registering', () => {
  test('queues the clip', () => {
    given(avatar, []).when(register).yields(registered);
    expect(given(avatar, [registered]).state.status).toBe('queued');
  });

  test.each(statuses)('the same clip again changes nothing once it is %s', (status) => {
    given(avatar, histories[status]).when(register).yields();
  });

  test('another clip under the same id is refused', () => {
    given(avatar, [registered])
      .when({ type: 'RegisterAvatar', payload: { ...payload, sha256: 'b'.repeat(64) }, personal })
      .refuses('command_reused');
  });

  test.each([start, complete(), reject, fail(1, true), progress('probe', 0), assign, revoke, remove])(
    'nothing comes before it: $type is refused',
    (command) => {
      given(avatar, []).when(command).refuses('not_found');
    },
  );
});

describe('a build', () => {
  test('is begun once from the queue', () => {
    given(avatar, [registered]).when(start).yields(started(1));
  });

  test('that was found dead is begun again, as often as attempts are left', () => {
    given(avatar, building).when(start).yields(started(2));
    given(avatar, [...building, started(mostAttempts)])
      .when(start)
      .yields(failed(mostAttempts, false));
  });

  test('that failed for a while is begun again, and one that failed for good is not', () => {
    given(avatar, [...building, failed(1, true)])
      .when(start)
      .yields(started(2));
    given(avatar, [...building, failed(1, false)])
      .when(start)
      .refuses('avatar_not_ready');
  });

  test('fails for good with the last attempt', () => {
    given(avatar, building).when(fail(1, true)).yields(failed(1, true));
    given(avatar, [registered, started(mostAttempts)])
      .when(fail(mostAttempts, true))
      .yields(failed(mostAttempts, false));
  });

  test('says once that it came a tenth further, and never that it went back', () => {
    const halfway = [...building, progressed('face', 0.5)];
    given(avatar, building).when(progress('face', 0.59)).yields(progressed('face', 0.5));
    given(avatar, halfway).when(progress('face', 0.59)).yields();
    given(avatar, halfway).when(progress('face', 0.6)).yields(progressed('face', 0.6));
    given(avatar, halfway).when(progress('frames', 1)).yields();
    given(avatar, halfway).when(progress('idle', 0)).yields(progressed('idle', 0));
  });

  test.each(statuses.filter((status) => status !== 'building'))('has no news for an avatar that is %s', (status) => {
    for (const late of [complete(), reject, fail(1, true), progress('renderer', 1)]) given(avatar, histories[status]).when(late).yields();
  });

  test('of an earlier attempt has no news for the later one', () => {
    for (const late of [complete(1), reject, fail(1, true), progress('renderer', 1)])
      given(avatar, [...building, started(2)])
        .when(late)
        .yields();
    given(avatar, [...building, started(2)])
      .when(complete(2))
      .yields(ready);
  });
});

describe('a face', () => {
  test.each(statuses.filter((status) => status !== 'ready'))('that is %s cannot be given to a tutor', (status) => {
    given(avatar, histories[status]).when(assign).refuses('avatar_not_ready');
  });

  test('that is ready is given to a tutor once', () => {
    given(avatar, histories.ready).when(assign).yields(assigned);
    given(avatar, [...histories.ready, assigned])
      .when(assign)
      .yields();
  });

  test.each(statuses)('that is %s can be withdrawn and deleted', (status) => {
    if (status === 'deleted') given(avatar, histories.deleted).when(revoke).refuses('not_found');
    else
      given(avatar, histories[status])
        .when(revoke)
        .yields(...(status === 'revoked' ? [] : [revoked]));
    given(avatar, histories[status])
      .when(remove)
      .yields(...(status === 'deleted' ? [] : [deleted]));
  });
});

const anyCommand: fc.Arbitrary<AvatarCommand> = fc.oneof(
  fc.constantFrom(register, start, assign, revoke, remove),
  fc.integer({ min: 1, max: 3 }).chain((attempt) =>
    fc.oneof(
      fc.constant<AvatarCommand>({ type: 'CompleteBuild', attempt, result }),
      fc.constant<AvatarCommand>({ type: 'RejectClip', attempt, reasons }),
      fc.boolean().map((retryable): AvatarCommand => fail(attempt, retryable)),
      fc
        .tuple(fc.constantFrom(...AvatarStage.options), fc.double({ min: 0, max: 1, noNaN: true }))
        .map(([stage, fraction]): AvatarCommand => ({ type: 'RecordProgress', attempt, stage, fraction })),
    ),
  ),
);

/** Commands that come often enough to get anywhere. */
const lives = fc.array(fc.oneof({ weight: 2, arbitrary: fc.constantFrom(register, start) }, { weight: 3, arbitrary: anyCommand }), {
  minLength: 5,
  maxLength: 60,
});

/** Everything that is decided, in order. */
function lifeOf(commands: readonly AvatarCommand[]): readonly NewAvatarEvent[] {
  const events: NewAvatarEvent[] = [];
  let state = avatar.initial;
  for (const command of commands) {
    const decision = avatar.decide(command, state);
    if (!('accepted' in decision)) continue;
    for (const event of decision.accepted) state = avatar.evolve(state, event);
    events.push(...decision.accepted);
  }
  return events;
}

const ends: ReadonlySet<AvatarEvent['type']> = new Set(['AvatarReady', 'AvatarRejected']);

test('no order of commands builds what was withdrawn, or more often than it may, or anything after it was deleted', () => {
  fc.assert(
    fc.property(lives, (commands) => {
      const events = lifeOf(commands);
      const types = events.map(({ type }) => type);
      const withdrawn = types.findIndex((type) => type === 'AvatarRevoked' || type === 'AvatarDeleted');
      const after = withdrawn === -1 ? [] : types.slice(withdrawn + 1);
      expect(after).toEqual(types[withdrawn] === 'AvatarRevoked' && after.length > 0 ? ['AvatarDeleted'] : []);
      expect(types.filter((type) => type === 'AvatarBuildStarted').length).toBeLessThanOrEqual(mostAttempts);
      expect(types.filter((type) => ends.has(type)).length).toBeLessThanOrEqual(1);
      expect(types.filter((type) => type === 'AvatarRegistered').length).toBeLessThanOrEqual(1);
    }),
    { numRuns: 300 },
  );
});

test('a command that was carried out changes nothing when it comes again, but for a start, which is a new attempt', () => {
  fc.assert(
    fc.property(lives, anyCommand, (commands, command) => {
      if (command.type === 'StartBuild') return;
      const once = lifeOf([...commands, command]);
      expect(lifeOf([...commands, command, command])).toEqual(once);
    }),
    { numRuns: 300 },
  );
});
