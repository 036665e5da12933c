import packageJson from "../../package.json" with { type: "json" };

/** The program's version, as package.json has it. */
export const version: string = packageJson.version;

/** What every artefact names as its maker: "nemosaic 0.1.0". */
export const producer = `nemosaic ${version}`;
