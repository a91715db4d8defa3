import type { Page } from 'playwright-core';
import { z } from 'zod';

/*
 * Lessons of one page by the engine's API alone, as any client may hold them: what goes over the wire can
 * be looked at, and as many can be open at once as are asked for.
 */

/** Chromium that says nothing in its network but what the page asks for. */
export const quietInItsNetwork = [
  '--no-sandbox',
  '--autoplay-policy=no-user-gesture-required',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-background-networking',
  '--disable-component-update',
  // Otherwise it announces names for its host candidates to its own network, whether or not it may use them.
  '--disable-features=WebRtcHideLocalIpsWithMdns',
];

const Lesson = z.object({
  /** Code and message of the refusal; null: connected. */
  refused: z.object({ code: z.string(), message: z.string() }).nullable(),
  /** Candidate lines on the wire. */
  offered: z.array(z.string()),
  answered: z.array(z.string()),
  localType: z.string().nullable(),
  audioPackets: z.number(),
  /** Loudness added up over what was received: above 0 once somebody spoke. */
  audioEnergy: z.number(),
  frames: z.number(),
});
export type Lesson = z.infer<typeof Lesson>;

export interface LessonsOrder {
  readonly apiKey: string;
  readonly lessons: number;
  /** How many of them ask for the face too. */
  readonly faces: number;
  /** Said by the first student, for the tutor to answer aloud. */
  readonly question: string | null;
  /** A candidate that is put into every offer. */
  readonly smuggled: string | null;
}

/** The page must be of the engine's origin. */
export async function holdLessons(page: Page, order: LessonsOrder): Promise<readonly Lesson[]> {
  return z.array(Lesson).parse(await page.evaluate(`(${inPage})(${JSON.stringify(order)})`));
}

const inPage = `async ({ apiKey, lessons, faces, question, smuggled }) => {
  const call = async (path, input, token, isQuery = false) => {
    const headers = { authorization: 'Bearer ' + token, 'content-type': 'application/json' };
    const response = isQuery
      ? await fetch('/trpc/' + path + '?input=' + encodeURIComponent(JSON.stringify(input)), { headers })
      : await fetch('/trpc/' + path, { method: 'POST', headers, body: JSON.stringify(input) });
    const { result, error } = await response.json();
    if (error) throw Object.assign(new Error(error.message), { refused: { code: error.data?.tutor?.code ?? '', message: error.message } });
    return result.data;
  };
  const candidates = (sdp) => sdp.split('\\r\\n').filter((line) => line.startsWith('a=candidate'));
  const open = async (nth) => {
    const lesson = { refused: null, offered: [], answered: [], connection: null };
    try {
      const { session, grant } = await call('sessions.create', { tutorId: 'ada', studentId: 'student-' + nth, locale: 'en' }, apiKey);
      const sessionId = session.id;
      const { iceServers } = await call('webrtc.config', { sessionId }, grant.token, true);
      const overUdp = iceServers.map((server) => ({ ...server, urls: server.urls.filter((url) => url.endsWith('udp')) }));
      const connection = new RTCPeerConnection({ iceServers: overUdp, iceTransportPolicy: 'relay', bundlePolicy: 'max-bundle' });
      lesson.connection = connection;
      const voice = connection.addTransceiver('audio', { direction: 'recvonly' });
      // Only what is played is measured.
      if (nth === 0) Object.assign(new Audio(), { srcObject: new MediaStream([voice.receiver.track]) }).play();
      if (nth < faces) connection.addTransceiver('video', { direction: 'recvonly' });
      await connection.setLocalDescription();
      while (connection.iceGatheringState !== 'complete') await new Promise((done) => setTimeout(done, 20));
      const own = connection.localDescription.sdp;
      const offer = smuggled === null ? own : own.replace(/a=candidate/, 'a=' + smuggled + '\\r\\na=candidate');
      lesson.offered = candidates(offer);
      const { answer } = await call('webrtc.negotiate', { sessionId, peerId: crypto.randomUUID?.() ?? '0199a8a0-0000-4000-8000-' + String(nth).padStart(12, '0'), offer }, grant.token);
      lesson.answered = candidates(answer);
      await connection.setRemoteDescription({ type: 'answer', sdp: answer });
      for (let looks = 0; connection.connectionState !== 'connected' && looks < 300; looks += 1) await new Promise((done) => setTimeout(done, 50));
      if (question !== null && nth === 0) await call('chat.send', { sessionId, clientMessageId: '0199a8a0-0000-4000-8000-000000000001', text: question }, grant.token);
    } catch (error) {
      lesson.refused = error.refused ?? { code: 'error', message: String(error) };
    }
    return lesson;
  };
  const look = async ({ connection, ...lesson }) => {
    const stats = connection === null ? [] : [...(await connection.getStats()).values()];
    const inbound = (kind) => stats.find((one) => one.type === 'inbound-rtp' && one.kind === kind);
    const transport = stats.find(({ type }) => type === 'transport');
    const pair = stats.find(({ id }) => id === transport?.selectedCandidatePairId);
    return {
      ...lesson,
      localType: stats.find(({ id }) => id === pair?.localCandidateId)?.candidateType ?? null,
      audioPackets: inbound('audio')?.packetsReceived ?? 0,
      audioEnergy: inbound('audio')?.totalAudioEnergy ?? 0,
      frames: inbound('video')?.framesDecoded ?? 0,
    };
  };
  const isReady = async () => {
    const { dependencies } = await (await fetch('/health')).json();
    return dependencies.some(({ name, status }) => name === 'voice and video' && status === 'ok');
  };
  for (let looks = 0; looks < 300 && !(await isReady()); looks += 1) await new Promise((done) => setTimeout(done, 200));
  const all = [];
  for (let nth = 0; nth < lessons; nth += 1) all.push(await open(nth));
  const enough = (seen, nth) =>
    seen.refused !== null || (seen.audioPackets >= 50 && (nth >= faces || seen.frames >= 25) && (question === null || nth > 0 || seen.audioEnergy > 0.01));
  for (let looks = 0; looks < 200; looks += 1) {
    const seen = await Promise.all(all.map(look));
    if (seen.every(enough)) return seen;
    await new Promise((done) => setTimeout(done, 100));
  }
  return Promise.all(all.map(look));
}`;
