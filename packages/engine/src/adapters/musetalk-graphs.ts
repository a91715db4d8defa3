import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { Device, Floats, GraphFolder, OpenGraph, OpenGraphs } from '../avatar/musetalk/graphs.ts';
import { MuseTalkUnavailable } from '../avatar/musetalk/unavailable.ts';

/* MuseTalk's graphs on onnxruntime, on the graphics card where its CUDA provider is installed. */

type GraphName = Exclude<keyof OpenGraphs, 'device' | 'close'>;

interface Opened extends OpenGraph {
  close(): Promise<void>;
}

export async function openMuseTalkGraphs(from: GraphFolder, wanted: 'auto' | 'cpu'): Promise<OpenGraphs> {
  const device = wanted === 'cpu' ? ({ name: 'cpu', reason: 'configured' } as const) : await bestDevice(from);
  const opened: Opened[] = [];
  const close = async () => {
    for (const graph of opened.splice(0)) await graph.close();
  };
  const open = async (name: GraphName) => {
    const graph = await openGraph(from, name, device);
    opened.push(graph);
    return graph;
  };
  try {
    return {
      device,
      whisper: await open('whisper'),
      unet: await open('unet'),
      decoder: await open('decoder'),
      encoder: await open('encoder'),
      parsing: await open('parsing'),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

const optionsOn = (device: Device['name']) => ({ executionProviders: [device], logSeverityLevel: 4 }) as const;

/** Asked with the smallest of the graphs: whether the provider's library is there shows only when it is loaded. */
async function bestDevice({ folder, manifest }: GraphFolder): Promise<Device> {
  try {
    const session = await InferenceSession.create(join(folder, manifest.whisper.file), optionsOn('cuda'));
    await session.release();
    return { name: 'cuda', reason: 'its provider is installed' };
  } catch (error) {
    const [line] = String(error instanceof Error ? error.message : error).split('\n');
    return { name: 'cpu', reason: `CUDA could not be opened: ${line}` };
  }
}

async function openGraph({ folder, manifest }: GraphFolder, name: GraphName, device: Device): Promise<Opened> {
  const path = join(folder, manifest[name].file);
  const session = await InferenceSession.create(path, optionsOn(device.name)).catch((cause: unknown) => {
    throw new MuseTalkUnavailable('not_loadable', `${path} does not open on ${device.name}`, {
      cause,
      advice: 'check that its weights files lie where the export put them, and that its opset is at most 21',
    });
  });
  const actual = [...session.inputNames, ...session.outputNames];
  const unknown = Object.values(manifest[name].names).filter((port) => !actual.includes(port));
  const halves = [...session.inputMetadata, ...session.outputMetadata].filter((port) => port.isTensor && port.type === 'float16');
  if (unknown.length > 0 || halves.length > 0) {
    await session.release();
    throw unknown.length > 0
      ? new MuseTalkUnavailable('wrong_signature', `${path} has no ${unknown.join(', ')}`, {
          advice: `its ports are ${actual.join(', ')}: name these`,
        })
      : new MuseTalkUnavailable('wrong_signature', `${path} takes or gives float16`, { advice: 'convert it with keep_io_types=True' });
  }
  const [output = ''] = session.outputNames.filter((port) => Object.values(manifest[name].names).includes(port));
  return {
    async run(inputs, expected) {
      const feeds = Object.fromEntries(Object.entries(inputs).map(([port, value]) => [port, tensorOf(value)]));
      const { [output]: made } = await session.run(feeds, [output]).catch((cause: unknown) => {
        throw new MuseTalkUnavailable('inference_failed', `${path} fails on ${device.name}`, {
          cause,
          advice: 'check its shapes against docs/operations/musetalk.md, and the memory that is left',
        });
      });
      if (!(made?.data instanceof Float32Array) || made.dims.join() !== expected.join()) {
        throw new MuseTalkUnavailable('wrong_signature', `${path} gave ${made?.type} [${made?.dims}], not float32 [${expected}]`, {
          advice: 'export it as docs/operations/musetalk.md says',
        });
      }
      return made.data;
    },
    close: () => session.release(),
  };
}

function tensorOf(value: Floats | bigint): Tensor {
  return typeof value === 'bigint' ? new Tensor('int64', BigInt64Array.of(value), [1]) : new Tensor('float32', value.data, value.shape);
}
