#!/bin/bash
# Builds an image for one architecture (STEP=build), or joins those under one tag (STEP=join).
# Both steps can run again: images that the repository has are not built a second time.
set -euo pipefail

: "${STEP:?}" "${ARCHITECTURE:?}" "${ARCHITECTURES:?}" "${REPOSITORY:?}" "${TAG:?}"
: "${BASE_IMAGE:?}" "${SIGNAL_URL:?}" "${AWS_REGION:?}" "${CODEBUILD_BUILD_ID:?}"
# Without attestations, which would turn the manifest of each image into a list.
export BUILDX_NO_DEFAULT_ATTESTATIONS=1

output=$(mktemp)
doing="the start"

signal() { # status, id, reason, data
  local body
  body=$(printf '{"Status":"%s","UniqueId":"%s","Reason":"%s","Data":"%s"}' "$@")
  # The URL of an earlier deployment has expired, and CloudFormation no longer waits.
  curl --silent --show-error --fail --retry 5 --max-time 30 --request PUT \
    --header 'Content-Type:' --data-binary "$body" "$SIGNAL_URL" ||
    echo "CloudFormation did not take the signal $1"
}

on_exit() {
  local status=$? last
  if ((status != 0)); then
    # Only characters that need no escape in JSON, and no more than an event of a stack shows.
    last=$(tail -n 20 "$output" | tr -cs '[:alnum:] .,:;=_/@+()<>%-' ' ' | tail -c 500)
    signal FAILURE "$STEP-$ARCHITECTURE" \
      "$doing failed ($ARCHITECTURE, build $CODEBUILD_BUILD_ID): $last" none
  fi
}
trap on_exit EXIT

attempt() { # what it is, command...
  doing=$1
  shift
  "$@" 2>&1 | tee "$output"
}

login() { # registry, command that prints the password...
  local registry=$1
  shift
  "$@" | docker login --username AWS --password-stdin "$registry"
}

login_to_base() {
  local host=${BASE_IMAGE%%/*} region
  case $host in
    public.ecr.aws)
      # ECR Public throttles pulls without credentials. Its API is in this Region only.
      login public.ecr.aws aws ecr-public get-login-password --region us-east-1
      ;;
    *.dkr.ecr.*)
      IFS=. read -r _ _ _ region _ <<<"$host"
      login "$host" aws ecr get-login-password --region "$region"
      ;;
    *) echo "$host is treated as a public registry" ;;
  esac
}

digest_of() { # tag; prints nothing for a tag that does not exist
  aws ecr list-images --repository-name "${REPOSITORY#*/}" --filter tagStatus=TAGGED \
    --page-size 1000 --query "imageIds[?imageTag=='$1'].imageDigest" --output text 2>"$output"
}

user_of() { # image
  docker image inspect --format '{{.Config.User}}' "$1"
}

same_user() { # image, base
  local user base
  user=$(user_of "$1")
  base=$(user_of "$2")
  if [[ $user != "$base" ]]; then
    echo "The image runs as user $user, its base as $base"
    return 1
  fi
}

login_to_repository() {
  login "${REPOSITORY%%/*}" aws ecr get-login-password --region "$AWS_REGION"
}

build() {
  local image=$REPOSITORY:$TAG-$ARCHITECTURE joined alone
  joined=$(digest_of "$TAG")
  alone=$(digest_of "$TAG-$ARCHITECTURE")
  if [[ -n $joined || -n $alone ]]; then
    echo "$image exists"
    return
  fi
  attempt "login to the registry of the base image" login_to_base
  attempt "pull of the base image" docker pull "$BASE_IMAGE"
  attempt "docker build" docker build --build-arg "BASE_IMAGE=$BASE_IMAGE" --tag "$image" .
  attempt "check of the user" same_user "$image" "$BASE_IMAGE"
  attempt "login to the repository" login_to_repository
  attempt "docker push" docker push "$image"
}

join_architectures() {
  local images=() architecture digest
  digest=$(digest_of "$TAG")
  if [[ -z $digest ]]; then
    for architecture in $ARCHITECTURES; do
      images+=("$REPOSITORY:$TAG-$architecture")
    done
    attempt "login to the repository" login_to_repository
    attempt "join of architectures" \
      docker buildx imagetools create --tag "$REPOSITORY:$TAG" "${images[@]}"
    doing="look-up of the digest"
    digest=$(digest_of "$TAG")
  fi
  [[ $digest =~ ^sha256:[0-9a-f]{64}$ ]]
  signal SUCCESS image built "$digest"
}

doing="look-up of images"
case $STEP in
  build) build ;;
  join) join_architectures ;;
  *) exit 2 ;;
esac
