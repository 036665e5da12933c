import type { ScenesManifest } from "./manifest.ts";

/** The README.md of a written folder. */
export function readmeOf(manifest: ScenesManifest): string {
  const { counts, settings, shares } = manifest;
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  const general =
    settings.multiTarget > 0 || settings.noTarget > 0
      ? `| \`grefs/scenes/grefs(unc).json\`, \`instances.json\` | the same in gRefCOCO's form, with ${counts.multiTargetRefs ?? 0} multi-target and ${counts.noTargetRefs ?? 0} no-target refs |\n`
      : "";
  return `# Scenes

${counts.images ?? 0} drawn images, ${counts.annotations ?? 0} objects, ${counts.refs ?? 0} refs, ${counts.sentences ?? 0} sentences; made by ${manifest.producer} with seed ${settings.seed}.

| file | what |
|---|---|
| \`images/\` | 640 x 480 JPEGs |
| \`refer/scenes/refs(unc).p\`, \`instances.json\` | the refs and the masks in REFER's form |
${general}| \`scenes.jsonl\` | one image a line: what stands where, and what each sentence means and of which objects it is true |
| \`scenes.json\` | settings, counts and hashes |

- ${percent(shares.hardImages)} of the images and ${percent(shares.hardRefs)} of the refs have another object of the target's class.
- ${percent(shares.relationRefs)} of the refs have a relation where class, colour and size do not name the target.
- Each sentence is true of its target and of nothing else in its image.

\`\`\`
nemosaic import refer refer/scenes --images images --pool POOL
\`\`\`

The objects are Microsoft's Fluent Emoji (MIT licence, Copyright (c) Microsoft Corporation), from the npm package
@lobehub/fluent-emoji-3d; the images are under the same licence.
`;
}
