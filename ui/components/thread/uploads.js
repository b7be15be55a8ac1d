// Files that go with an answer: put down by dropping, pasting or choosing, kept by the server first, named in the answer by digest.
import { ApiError, WIcon, size, t } from "weir-core";

export async function upload(file, progress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `/api/v1/files?name=${encodeURIComponent(file.name || "")}`);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-Requested-With", "weir");
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.responseType = "json";
    request.upload.onprogress = (event) => event.lengthComputable && progress(event.loaded / event.total);
    request.onload = () => {
      if (request.status === 201) resolve(request.response);
      else reject(new ApiError(request.status, (request.response && request.response.detail) || t("error.status", { status: request.status })));
    };
    request.onerror = () => reject(new ApiError(0, t("error.offline")));
    request.send(file);
  });
}

export const ComposerFiles = {
  name: "ComposerFiles",
  components: { WIcon },
  props: { files: Array, coming: Array },
  emits: ["remove", "again"],
  template: `
    <ul v-if="files.length || coming.length" class="cp-files" :aria-label="t('composer.attached')">
      <li v-for="file in files" :key="file.digest + file.name"><w-icon name="paperclip" /><bdi>{{ file.name }}</bdi><span class="w-meta">{{ size(file.size) }}</span><button type="button" :aria-label="t('composer.remove', { name: file.name })" @click="$emit('remove', file)"><w-icon name="x" /></button></li>
      <li v-for="one in coming" :key="one.number" :class="{ 'is-bad': one.trouble }"><w-icon :name="one.trouble ? 'circle-alert' : 'paperclip'" /><bdi>{{ one.name }}</bdi><span v-if="one.trouble" role="alert">{{ one.trouble }}</span><progress v-else :value="one.part" :aria-label="t('composer.uploading', { name: one.name })"></progress><button v-if="one.trouble" type="button" :aria-label="t('composer.again', { name: one.name })" @click="$emit('again', one)"><w-icon name="refresh-cw" /></button><button type="button" :aria-label="t('composer.remove', { name: one.name })" @click="$emit('remove', one)"><w-icon name="x" /></button></li>
    </ul>`,
  methods: { t, size },
};
