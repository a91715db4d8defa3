/** What a child needs of the environment: no key, no secret. */
const passedOn = /^(PATH|HOME|TMPDIR|LANG|LC_.*|TZ|LD_LIBRARY_PATH|CUDA_.*|NVIDIA_.*|UV_THREADPOOL_SIZE)$/;

export function inheritedEnvironment(): NodeJS.ProcessEnv {
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => passedOn.test(name)));
  // onnxruntime 1.30 reports its use to Microsoft unless it is told not to.
  return { ...inherited, ORT_DISABLE_TELEMETRY: '1' };
}
