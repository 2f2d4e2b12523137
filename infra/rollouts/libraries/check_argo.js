// Check resources of Argo Rollouts with the schemas of their definitions: node check_argo.js < resources.json
//
// On standard input a JSON list of resources, on standard output a list with what is wrong with each, "" if
// nothing is. These schemas check types and values. A field that they do not know passes.

const { readFileSync } = require("node:fs");
const { join } = require("node:path");
const { pathToFileURL } = require("node:url");

const MODELS = "@kubernetes-models/argo-rollouts/argoproj.io/v1alpha1/index.js";

function problem(kinds, resource) {
  const Kind = kinds[resource.kind];
  if (!Kind) return `there is no ${resource.kind}`;
  try {
    new Kind(resource).validate();
    return "";
  } catch (error) {
    return error.message;
  }
}

async function main() {
  const resources = JSON.parse(readFileSync(0, "utf8"));
  const kinds = await import(pathToFileURL(join(process.env.NODE_PATH, MODELS)).href);
  console.log(JSON.stringify(resources.map((resource) => problem(kinds, resource))));
}

main().catch((error) => {
  console.error(error.message ?? error);
  process.exitCode = 1;
});
