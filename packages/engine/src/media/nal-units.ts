/** The units of H.264 between Annex B start codes (ITU-T H.264, annex B). */
export function nalUnits(data: Uint8Array): readonly Uint8Array[] {
  const starts: { readonly code: number; readonly unit: number }[] = [];
  for (let at = 0; at + 3 <= data.length; at += 1) {
    if (data[at] !== 0 || data[at + 1] !== 0 || data[at + 2] !== 1) continue;
    starts.push({ code: at > 0 && data[at - 1] === 0 ? at - 1 : at, unit: at + 3 });
    at += 2;
  }
  return starts.map(({ unit }, nth) => data.subarray(unit, starts[nth + 1]?.code ?? data.length)).filter((unit) => unit.length > 0);
}
