import { randomUUID } from 'node:crypto';
import { Server, ServerCredentials, type ServerDuplexStream, type ServerWritableStream, status } from '@grpc/grpc-js';
import featuresService from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/serverfeatures_grpc_pb.js';
import features from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/serverfeatures_pb.js';
import shared from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/shared_pb.js';
import statuses from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/status_pb.js';
import streamsService from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/streams_grpc_pb.js';
import type { BatchAppendReq, ReadReq } from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/streams_pb.js';
import messages from '@kurrent/kurrentdb-client/generated/kurrentdb/protocols/v1/streams_pb.js';
import any from 'google-protobuf/google/protobuf/any_pb.js';
import { KurrentLog, type ProposedEvent, type RecordedEvent, type StreamState } from './kurrent-log.ts';

/*
 * A stand-in for a KurrentDB server, on the wire: the protocol that the official client speaks, made of the code that the client
 * carries, over a log in memory. Only what the engine uses: appends in batches, reads, and filtered subscriptions to $all.
 * `KURRENTDB_URL` runs the same suites against a real one.
 */

/** What happens to one append: stored and answered; lost unanswered; stored and unanswered; refused, or stored, and the line dropped. */
export type AppendFate = 'answered' | 'lost' | 'unanswered' | 'dropped_before' | 'dropped_after';

type Batches = ServerDuplexStream<BatchAppendReq, InstanceType<typeof messages.BatchAppendResp>>;
type Reads = ServerWritableStream<ReadReq, InstanceType<typeof messages.ReadResp>>;

/** HTTP/2 streams that one connection may have: subscriptions beyond it wait for ever (KurrentDB-Client-NodeJS #175). */
const streamsPerConnection = 100;

export class KurrentStandIn implements AsyncDisposable {
  readonly log = new KurrentLog();
  readonly #server = new Server({ 'grpc.max_concurrent_streams': streamsPerConnection });
  readonly #subscriptions = new Set<{ readonly call: Reads; readonly leave: () => void }>();
  #port = 0;
  /** Decides over each append. */
  fate: () => AppendFate = () => 'answered';
  /** Confirmed subscriptions get nothing more. */
  muted = false;
  subscribed = 0;

  static async start(): Promise<KurrentStandIn> {
    const standIn = new KurrentStandIn();
    await standIn.#start();
    return standIn;
  }

  get url(): string {
    return `kurrentdb://127.0.0.1:${this.#port}?tls=false`;
  }

  dropSubscriptions(): void {
    for (const { call, leave } of this.#subscriptions) {
      leave();
      drop(call);
    }
    this.#subscriptions.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.forceShutdown();
  }

  async #start(): Promise<void> {
    this.#server.addService(streamsService.StreamsService, {
      read: (call: Reads) => this.#read(call),
      batchAppend: (call: Batches) => this.#batches(call),
    });
    this.#server.addService(featuresService.ServerFeaturesService, {
      getSupportedMethods: (_call: unknown, answer: (error: null, methods: unknown) => void) => answer(null, supportedMethods()),
    });
    this.#port = await new Promise((resolve, reject) =>
      this.#server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
        error === null ? resolve(port) : reject(error),
      ),
    );
  }

  #batches(call: Batches): void {
    const open = new Map<string, { readonly first: BatchAppendReq; readonly events: ProposedEvent[] }>();
    call.on('data', (request: BatchAppendReq) => {
      const id = request.getCorrelationId()?.getString() ?? '';
      const batch = open.get(id) ?? { first: request, events: [] };
      open.set(id, batch);
      for (const event of request.getProposedMessagesList()) batch.events.push(proposed(event));
      if (!request.getIsFinal()) return;
      open.delete(id);
      this.#append(call, batch.first, batch.events);
    });
    call.on('end', () => call.end());
    call.on('error', () => undefined);
  }

  #append(call: Batches, request: BatchAppendReq, events: readonly ProposedEvent[]): void {
    const fate = this.fate();
    const options = request.getOptions();
    const identifier = options?.getStreamIdentifier();
    if (options === undefined || identifier === undefined) throw new Error('a batch begins with its options');
    if (fate === 'lost') return;
    if (fate === 'dropped_before') {
      drop(call);
      return;
    }
    const outcome = this.log.append(Buffer.from(identifier.getStreamName_asU8()).toString(), stateOf(options), events);
    if (fate === 'unanswered') return;
    if (fate === 'dropped_after') {
      drop(call);
      return;
    }
    const answer = new messages.BatchAppendResp().setCorrelationId(request.getCorrelationId()).setStreamIdentifier(identifier);
    if (outcome.stored) {
      const at = String(outcome.last.position);
      const position = new shared.AllStreamPosition().setCommitPosition(at).setPreparePosition(at);
      answer.setSuccess(new messages.BatchAppendResp.Success().setCurrentRevision(String(outcome.last.revision)).setPosition(position));
    } else {
      answer.setError(wrongVersion(outcome.current));
    }
    call.write(answer);
  }

  #read(call: Reads): void {
    const options = call.request.getOptions();
    if (options === undefined) throw new Error('a read has options');
    if (options.hasSubscription()) {
      this.#subscribe(call, options);
      return;
    }
    const backwards = options.getReadDirection() === 1;
    const limit = Number(options.getCount());
    const found = options.hasStream() ? this.#ofStream(options, backwards) : this.#ofAll(options, backwards);
    if (found === null) {
      const missing = new messages.ReadResp.StreamNotFound().setStreamIdentifier(options.getStream()?.getStreamIdentifier());
      call.write(new messages.ReadResp().setStreamNotFound(missing));
    }
    for (const event of (found ?? []).slice(0, limit)) call.write(answerOf(event, options));
    call.end();
  }

  #ofStream(options: ReadReq.Options, backwards: boolean): readonly RecordedEvent[] | null {
    const wanted = options.getStream();
    const events = this.log.stream(Buffer.from(wanted?.getStreamIdentifier()?.getStreamName_asU8() ?? []).toString());
    if (events.length === 0) return null;
    if (backwards) return events.toReversed();
    return wanted?.hasStart() === true ? events : events.slice(Number(wanted?.getRevision()));
  }

  #ofAll(options: ReadReq.Options, backwards: boolean): readonly RecordedEvent[] {
    const passes = filterOf(options);
    const events = this.log.all.filter(passes);
    if (backwards) return events.toReversed();
    return events.filter(({ position }) => position >= startOf(options));
  }

  #subscribe(call: Reads, options: ReadReq.Options): void {
    this.subscribed += 1;
    const passes = filterOf(options);
    const after = options.getAll()?.hasPosition() === true ? startOf(options) : -1;
    const tell = (event: RecordedEvent) => {
      if (!this.muted && event.position > after && passes(event)) call.write(answerOf(event, options));
    };
    call.write(new messages.ReadResp().setConfirmation(new messages.ReadResp.SubscriptionConfirmation().setSubscriptionId(randomUUID())));
    for (const event of this.log.all) tell(event);
    const leave = this.log.onEvent(tell);
    const subscription = { call, leave };
    this.#subscriptions.add(subscription);
    call.on('cancelled', () => {
      leave();
      this.#subscriptions.delete(subscription);
      call.end();
    });
    call.on('error', () => undefined);
  }
}

function drop(call: Batches | Reads): void {
  call.emit('error', { code: status.UNAVAILABLE, details: 'dropped' });
}

function supportedMethods() {
  const method = (name: string) => new features.SupportedMethod().setServiceName('event_store.client.streams.streams').setMethodName(name);
  return new features.SupportedMethods()
    .setEventStoreServerVersion('0.0.0-stand-in')
    .setMethodsList([method('read'), method('batchappend')]);
}

function proposed(event: InstanceType<typeof messages.BatchAppendReq.ProposedMessage>): ProposedEvent {
  return {
    id: event.getId()?.getString() ?? '',
    type: event.getMetadataMap().get('type') ?? '',
    contentType: event.getMetadataMap().get('content-type') ?? '',
    data: event.getData_asU8(),
    metadata: event.getCustomMetadata_asU8(),
  };
}

function stateOf(options: InstanceType<typeof messages.BatchAppendReq.Options>): StreamState {
  if (options.hasNoStream()) return 'no_stream';
  if (options.hasAny()) return 'any';
  if (options.hasStreamExists()) return 'stream_exists';
  return Number(options.getStreamPosition());
}

function wrongVersion(current: number | null) {
  const wrong = new shared.WrongExpectedVersion().setExpectedAny();
  if (current === null) wrong.setCurrentNoStream();
  else wrong.setCurrentStreamRevision(String(current));
  const details = new any.Any();
  details.pack(wrong.serializeBinary(), 'event_store.client.WrongExpectedVersion');
  return new statuses.Status().setMessage('wrong expected version').setDetails(details);
}

function startOf(options: ReadReq.Options): number {
  const all = options.getAll();
  return all?.hasPosition() === true ? Number(all.getPosition()?.getCommitPosition()) : 0;
}

function filterOf(options: ReadReq.Options): (event: RecordedEvent) => boolean {
  const prefixes = options.getFilter()?.getStreamIdentifier()?.getPrefixList() ?? [];
  return options.hasFilter() ? ({ stream }) => prefixes.some((prefix) => stream.startsWith(prefix)) : () => true;
}

function answerOf(
  { id, type, contentType, stream, revision, position, data, metadata, createdMs }: RecordedEvent,
  options: ReadReq.Options,
) {
  const recorded = new messages.ReadResp.ReadEvent.RecordedEvent()
    .setId(uuidOf(id, options))
    .setStreamIdentifier(new shared.StreamIdentifier().setStreamName(Buffer.from(stream).toString('base64')))
    .setStreamRevision(String(revision))
    .setCommitPosition(String(position))
    .setPreparePosition(String(position))
    .setData(Buffer.from(data))
    .setCustomMetadata(Buffer.from(metadata));
  recorded
    .getMetadataMap()
    .set('type', type)
    .set('content-type', contentType)
    .set('created', String(BigInt(createdMs) * 10_000n));
  return new messages.ReadResp().setEvent(new messages.ReadResp.ReadEvent().setEvent(recorded).setCommitPosition(String(position)));
}

function uuidOf(id: string, options: ReadReq.Options) {
  if (options.getUuidOption()?.hasStructured() !== true) return new shared.UUID().setString(id);
  const bytes = Buffer.from(id.replaceAll('-', ''), 'hex');
  const halves = new shared.UUID.Structured();
  halves.setMostSignificantBits(String(bytes.readBigInt64BE(0))).setLeastSignificantBits(String(bytes.readBigInt64BE(8)));
  return new shared.UUID().setStructured(halves);
}
