import { describe, expect, test } from 'vitest';
import { type Procedure, procedures } from '../../../../test/support/procedures.ts';

/** Who may call what: a new procedure has to be written down here too. */
const expected: Readonly<Record<string, string>> = {
  health: 'public',
  'console.signIn': 'loopback',
  'console.whoami': 'control operator teacher auditor',
  'sessions.create': 'control operator',
  'sessions.get': 'control operator teacher auditor',
  'sessions.list': 'control operator teacher auditor',
  'sessions.end': 'either operator',
  'sessions.issueToken': 'control operator',
  'sessions.invite': 'control operator teacher',
  'sessions.join': 'public',
  'sessions.transcript': 'control operator teacher auditor',
  'session.events': 'data',
  'session.media': 'data',
  'session.renewToken': 'data',
  'chat.send': 'data',
  'chat.interrupt': 'data',
  'audio.append': 'data',
  'audio.commit': 'data',
  'webrtc.config': 'data',
  'webrtc.negotiate': 'data',
  'webrtc.addCandidate': 'data',
  'webrtc.signals': 'data',
  'tutors.configure': 'control operator teacher',
  'tutors.get': 'control operator teacher',
  'tutors.list': 'control operator teacher',
  'tutors.retire': 'control operator teacher',
  'knowledge.create': 'control operator teacher',
  'knowledge.get': 'control operator teacher',
  'knowledge.list': 'control operator teacher',
  'knowledge.addDocument': 'control operator teacher',
  'knowledge.documents': 'control operator teacher',
  'knowledge.removeDocument': 'control operator teacher',
  'avatars.beginUpload': 'control operator teacher',
  'avatars.upload': 'control operator teacher',
  'avatars.abandonUpload': 'control operator teacher',
  'avatars.create': 'control operator teacher',
  'avatars.get': 'control operator teacher',
  'avatars.list': 'control operator teacher',
  'avatars.watch': 'control operator teacher',
  'avatars.file': 'control operator teacher',
  'avatars.revoke': 'control operator teacher',
  'avatars.remove': 'control operator teacher',
  'audit.sessions': 'control auditor',
  'audit.events': 'control auditor',
  'audit.state': 'control auditor',
  'audit.appearances': 'control auditor',
  'audit.verify': 'control auditor',
  'audit.tutor': 'control auditor',
  'audit.course': 'control auditor',
  'audit.coverage': 'control auditor',
  'audit.seals': 'control auditor',
  'audit.verifyLog': 'control auditor',
  'audit.export': 'control auditor',
  'audit.rotateKey': 'control operator',
  'audit.tail': 'control auditor',
  'privacy.configureRetention': 'control operator',
  'privacy.exportStudent': 'control operator',
  'privacy.forgetStudent': 'control operator',
  'privacy.retention': 'control operator',
  'keys.create': 'control operator',
  'keys.list': 'control operator',
  'keys.revoke': 'control operator',
  'projections.list': 'control operator',
  'projections.rebuild': 'control operator',
};

function written(policy: Procedure['policy']): string {
  if (policy === null) return 'none';
  return 'roles' in policy ? [policy.plane, ...policy.roles].join(' ') : policy.plane;
}

describe('policies', () => {
  test.each(procedures)('$path declares who may call it', ({ path, policy }) => {
    expect(written(policy)).toBe(expected[path]);
  });

  test('no procedure is written down that is not there', () => {
    expect(Object.keys(expected).sort()).toEqual(procedures.map(({ path }) => path).sort());
  });

  test('subscriptions change nothing, so that a reconnect repeats nothing', () => {
    const subscriptions = procedures.filter(({ type }) => type === 'subscription').map(({ path }) => path);
    expect(subscriptions.sort()).toEqual([
      'audit.export',
      'audit.tail',
      'audit.verifyLog',
      'avatars.watch',
      'session.events',
      'session.media',
      'webrtc.signals',
    ]);
  });
});
