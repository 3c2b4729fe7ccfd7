# installManPage FILE...: each to the section that its name ends in.
installManPage() {
  local page name section
  for page in "$@"; do
    [ "$page" != -- ] || continue
    name=$(stripHash "$page")
    section=${name%.gz}
    section=${section##*.}
    install -Dm644 -T "$page" "${man:-$out}/share/man/man${section:0:1}/$name"
  done
}

# installShellCompletion [--cmd NAME] [--bash|--fish|--zsh] [--name NAME] FILE...
installShellCompletion() {
  local shell='' name='' command='' file base
  while (($#)); do
    case "$1" in
      --bash | --fish | --zsh) shell=${1#--} ;;
      --name) name=$2 && shift ;;
      --name=*) name=${1#--name=} ;;
      --cmd) command=$2 && shift ;;
      --cmd=*) command=${1#--cmd=} ;;
      --) ;;
      *)
        file=$1
        base=$(stripHash "$file")
        local kind=$shell target=$name
        if [ -z "$kind" ]; then
          case "$base" in
            *.bash) kind=bash ;;
            *.fish) kind=fish ;;
            *.zsh | _*) kind=zsh ;;
            *) nixErrorLog "installShellCompletion: of which shell is $file?" && return 1 ;;
          esac
        fi
        case "$kind" in
          bash) install -Dm644 -T "$file" "$out/share/bash-completion/completions/${target:-${command:-${base%.bash}}}" ;;
          fish) install -Dm644 -T "$file" "$out/share/fish/vendor_completions.d/${target:-${command:-${base%.fish}}.fish}" ;;
          zsh)
            : "${target:=${command:+_$command}}"
            : "${target:=_${base%.zsh}}"
            install -Dm644 -T "$file" "$out/share/zsh/site-functions/$target" ;;
        esac
        name=
        ;;
    esac
    shift
  done
}

# installBin FILE...
installBin() {
  local file
  for file in "$@"; do
    install -Dm755 -t "${bin:-$out}/bin" "$file"
  done
}
