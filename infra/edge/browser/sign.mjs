// The publisher's key and signatures, by Node.js' own cryptography (Ed25519, RFC 8032):
//   node sign.mjs key                     a new key as JSON: {"private": PEM, "public": 32 bytes in base64}
//   node sign.mjs public KEY.pem          the public half of a key, in base64
//   node sign.mjs sign KEY.pem < PAYLOAD  the signature of what comes on standard input, in base64

import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { readFileSync } from "node:fs";

const RAW = 32; // bytes: the key itself, at the end of its DER form
const rawOf = (key) => key.export({ type: "spki", format: "der" }).subarray(-RAW).toString("base64");

try {
  const [, , command, file] = process.argv;
  if (command === "key") {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    const text = privateKey.export({ type: "pkcs8", format: "pem" });
    console.log(JSON.stringify({ private: text, public: rawOf(publicKey) }));
  } else if (command === "public") {
    console.log(rawOf(createPublicKey(readFileSync(file))));
  } else if (command === "sign") {
    console.log(sign(null, readFileSync(0), createPrivateKey(readFileSync(file))).toString("base64"));
  } else {
    throw new Error("usage: node sign.mjs key | public KEY.pem | sign KEY.pem < PAYLOAD");
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
