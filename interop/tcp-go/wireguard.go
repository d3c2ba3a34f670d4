package main

import (
	"bufio"
	"fmt"
	"log"
	"net"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/sys/unix"
	"golang.zx2c4.com/wireguard/conn"
	"golang.zx2c4.com/wireguard/device"
)

// tunnelOptions are chosen by our side: the private key of this peer, the public key of ours, both in hexadecimal
// digits, and the UDP port of ours.
type tunnelOptions struct {
	privateKey, publicKey, port string
}

// secure runs wireguard-go between a network and UDP, and prints its port.
func secure(network network, bind conn.Bind, options tunnelOptions) error {
	tun, err := network.Device()
	if err != nil {
		return err
	}
	logger := &device.Logger{Verbosef: device.DiscardLogf, Errorf: log.Printf}
	dev := device.NewDevice(tun, bind, logger)
	config := fmt.Sprintf(
		"private_key=%s\nlisten_port=0\npublic_key=%s\nallowed_ip=fd7a::1/128\nendpoint=127.0.0.1:%s\n",
		options.privateKey, options.publicKey, options.port,
	)
	if err := dev.IpcSet(config); err != nil {
		return err
	}
	if err := dev.Up(); err != nil {
		return err
	}
	state, err := dev.IpcGet()
	if err != nil {
		return err
	}
	for lines := bufio.NewScanner(strings.NewReader(state)); lines.Scan(); {
		if port, ok := strings.CutPrefix(lines.Text(), "listen_port="); ok {
			log.Print("port " + port)
		}
	}
	return nil
}

// enterNamespace restarts this program in a new network namespace, with a UDP socket of the present one. It returns
// only to report a failure.
func enterNamespace(arguments []string) error {
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return err
	}
	file, err := socket.File()
	if err != nil {
		return err
	}
	// The executed program inherits no other descriptor above 3.
	if _, err := unix.FcntlInt(file.Fd(), unix.F_SETFD, 0); err != nil {
		return err
	}
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	command := append([]string{unshare, "--map-root-user", "--net", self}, arguments...)
	return unix.Exec(unshare, append(command, fmt.Sprint(file.Fd())), os.Environ())
}
