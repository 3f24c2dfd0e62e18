package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ringmaster/control/config"
	"ringmaster/control/process"
	"ringmaster/internal/demo"
	"ringmaster/shard"
)

// newRoot builds the command tree; start starts the data plane.
func newRoot(start process.Starter) *cobra.Command {
	loader := new(config.Loader)
	root := &cobra.Command{
		Use:   "ringmaster --upstream HOST:PORT[,HOST:PORT...] [flags]",
		Short: "A proxy that makes many Redis servers look like one.",
		Long: `A proxy that makes many Redis servers look like one.

Clients connect to it as they would to Redis. It spreads their keys over the servers and sends
the replies back in order.`,
		Example: `  ringmaster demo                                           try it, with three built-in shards
  ringmaster --upstream 10.0.0.1:6379                       one server
  ringmaster --upstream 10.0.0.1:6379,10.0.0.2:6379         keys spread over two
  ringmaster --config /etc/ringmaster.yaml                  settings from a file`,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := loader.Load()
			if err != nil {
				return err
			}
			return run(cmd, loader, c, start, nil)
		},
		Args:                       noArgs,
		Version:                    versionLine(), // for --version
		SuggestionsMinimumDistance: 2,
	}
	addFlags(root, loader)
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(newDemo(start), newCheck(), newVersion())
	return root
}

// addFlags gives cmd the flags of all settings except those in omit, and help that shows them by group.
func addFlags(cmd *cobra.Command, loader *config.Loader, omit ...string) {
	sets := loader.Flags(omit...)
	for _, g := range config.Groups() {
		cmd.Flags().AddFlagSet(sets[g])
	}
	for _, s := range config.Settings() {
		switch {
		case cmd.Flags().Lookup(s.Name) == nil || s.Unit == "file":
		default: // cannot fail: the flag exists and has no completion yet
			_ = cmd.RegisterFlagCompletionFunc(s.Name, cobra.FixedCompletions(s.Words, cobra.ShellCompDirectiveNoFileComp))
		}
	}
	cmd.SetUsageFunc(func(c *cobra.Command) error {
		if c != cmd { // a subcommand without settings asks its parent
			return writeUsage(c.OutOrStdout(), c, nil)
		}
		return writeUsage(c.OutOrStdout(), c, sets)
	})
}

// flagError adds the nearest name to an unknown flag.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		var known []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, "--"+f.Name) })
		err = fmt.Errorf("%w%s", err, config.DidYouMean("--"+unknown.GetSpecifiedName(), known))
	}
	var invalid *pflag.InvalidValueError
	if errors.As(err, &invalid) {
		err = errors.New(strings.ReplaceAll(err.Error(), invalid.GetValue(), shard.HideLogin(invalid.GetValue())))
	}
	return &usageError{err, cmd.CommandPath()}
}

// noArgs refuses words that are no flags. Most of them are a mistyped subcommand, or a value without its flag.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := ""
	if near := cmd.Root().SuggestionsFor(args[0]); len(near) > 0 {
		hint = fmt.Sprintf("; did you mean %q?", near[0])
	} else if slices.Contains([]string{"true", "false", "yes", "no", "on", "off"}, args[0]) {
		hint = "; write the value of an on/off flag after =, as in --protected-mode=false"
	} else if flag := flagFor(args[0]); flag != "" && cmd.Flags().Lookup(flag) != nil {
		hint = fmt.Sprintf("; did you mean --%s %s?", flag, args[0])
	}
	return &usageError{fmt.Errorf("unknown command or argument %q%s", args[0], hint), cmd.CommandPath()}
}

// flagFor returns the name of the flag whose value a word looks like, or "".
func flagFor(word string) string {
	switch filepath.Ext(word) {
	case ".yaml", ".yml":
		return "config"
	}
	if _, err := shard.ParseServers(word); err == nil {
		return "upstream"
	}
	return ""
}

func newDemo(start process.Starter) *cobra.Command {
	loader := new(config.Loader)
	cmd := &cobra.Command{
		Use:   "demo [flags]",
		Short: "Run the proxy in front of three Redis shards inside the process",
		Long:  "Run the proxy in front of three Redis shards inside the process. Nothing else needs to be installed.",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			shards, err := demo.Start(len(demo.Keys))
			if err != nil {
				return err
			}
			defer shards.Close()
			loader.Upstreams = shards.Servers()
			c, err := loader.Load()
			if err != nil {
				return err
			}
			return run(cmd, loader, c, start, func(b process.Bound) { writeDemo(cmd.OutOrStdout(), c, b) })
		},
	}
	addFlags(cmd, loader, "upstream", "topology", "upstream-username", "upstream-password", "upstream-password-file",
		"sentinel-masters", "sentinel-username", "sentinel-password", "sentinel-password-file")
	return cmd
}

func newCheck() *cobra.Command {
	loader, connects, prints := new(config.Loader), false, false
	cmd := &cobra.Command{
		Use:   "check --config FILE [--connect] [--print] [flags]",
		Short: "Check a configuration without starting anything",
		Long: `Check a configuration without starting anything. Every mistake is printed on one line, with file, line and
what was expected. Certificates and keys are read too. With --connect it also logs in to every server as the
proxy would, and warns of dangerous rights of that user. With --print it prints the settings in force as a
YAML file instead of a summary, and says where each came from. It opens no addresses, so ringmaster may be
running at the same time.
Exit status: 0 ok, 1 a server can't be reached or refuses the login, 2 a mistake.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := loader.Load()
			if err != nil {
				return err
			}
			if err := process.CheckFiles(c); err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if err := writeChecked(out, loader.File(), c, prints); err != nil {
				return err
			}
			if connects {
				return process.Connect(cmd.Context(), out, c)
			}
			return nil
		},
	}
	addFlags(cmd, loader)
	cmd.Flags().BoolVar(&connects, "connect", false, "log in to the servers, and warn of dangerous rights of the proxy's user")
	cmd.Flags().BoolVar(&prints, "print", false, "print the settings in force as YAML, and where each came from; secrets are hidden")
	return cmd
}

// writeChecked writes a summary of valid settings, or all of them.
func writeChecked(out io.Writer, file string, c *config.Config, all bool) error {
	if all {
		_, err := io.WriteString(out, c.Tree())
		return err
	}
	if _, err := fmt.Fprintln(out, summary(file, c)); err != nil {
		return err
	}
	if names := c.UnknownCommands(); len(names) > 0 {
		fmt.Fprintf(out, "warning: deny-commands: ringmaster does not know %s; denied on servers that do\n", strings.Join(names, ", "))
	}
	return nil
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), versionLine())
			return err
		},
	}
}
