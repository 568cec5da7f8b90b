// Verifies webhooks as a receiver written for Node does. On standard input {secret, requests: [{headers, body}]};
// on standard output a list: the event of each that verified, null for one that did not.
import { readFileSync } from "node:fs";
import { Webhook, WebhookVerificationError } from "standardwebhooks";

const { secret, requests } = JSON.parse(readFileSync(0, "utf8"));
const webhook = new Webhook(secret);

function verified({ headers, body }) {
  try {
    return webhook.verify(body, headers);
  } catch (error) {
    if (error instanceof WebhookVerificationError) return null;
    throw error;
  }
}

process.stdout.write(JSON.stringify(requests.map(verified)));
